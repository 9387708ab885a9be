import ArgumentParser
import FisherKit
import Foundation

/// Groups of parameters as a file:
///
///     {"groups": [
///       {"parameters": ["* scale"], "flags": "--optimizer adamw --learning-rate 1e-3"},
///       {"without_subsystem": true, "flags": "--optimizer adamw"},
///       {"parameters": ["layer 1", "layer 2"], "frozen": true}
///     ]}
///
/// A parameter belongs to the first group that takes it; all others are the main flags'.
struct GroupFile {
  let path: String
  let groups: [Group]

  struct Group: Decodable {
    var pattern: ParameterPattern
    /// `nil` for frozen parameters.
    var flags: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case parameters, flags, frozen
      case withoutSubsystem = "without_subsystem"
    }

    init(from decoder: any Decoder) throws {
      try requireKnown(CodingKeys.self, in: decoder)
      let members = try decoder.container(keyedBy: CodingKeys.self)
      let names = try members.decodeIfPresent([String].self, forKey: .parameters)
      let isWithout = try members.decodeIfPresent(Bool.self, forKey: .withoutSubsystem) ?? false
      let isFrozen = try members.decodeIfPresent(Bool.self, forKey: .frozen) ?? false
      flags = try members.decodeIfPresent(String.self, forKey: .flags)
      guard (names != nil) != isWithout, names?.isEmpty != true else {
        throw GridError(
          expected: "for each group either parameters, a list of names, or without_subsystem, true",
          found: isWithout ? "both" : "neither")
      }
      guard (flags != nil) != isFrozen else {
        throw GridError(
          expected: "for each group either flags or frozen, true", found: isFrozen ? "both" : "neither")
      }
      pattern = names.map { .named($0) } ?? .withoutSubsystem
    }
  }

  private struct Content: Decodable {
    var groups: [Group]

    enum CodingKeys: String, CodingKey, CaseIterable { case groups }

    init(from decoder: any Decoder) throws {
      try requireKnown(CodingKeys.self, in: decoder)
      groups = try decoder.container(keyedBy: CodingKeys.self).decode([Group].self, forKey: .groups)
    }
  }

  init(path: String) throws(DataError) {
    let data = try readText(path, what: "a file with groups of parameters in JSON", limit: 1 << 24)
    self.path = path
    do {
      groups = try JSONDecoder().decode(Content.self, from: data).groups
    } catch let error as DecodingError {
      throw DataError(
        path, expected: "groups of parameters (see fisher inspect --help)", found: error.summary(of: data))
    } catch let error as GridError {
      throw DataError(path, expected: error.expected, found: error.found)
    } catch {
      throw DataError(path, expected: "groups of parameters", found: "\(error)")
    }
    guard !groups.isEmpty else { throw DataError(path, expected: "at least one group", found: "none") }
  }

  /// The flags of a group.
  private struct Flags: ParsableCommand {
    @OptionGroup var optimizer: OptimizerOptions
  }

  func options(of group: Group) throws(DataError) -> OptimizerOptions? {
    guard let flags = group.flags else { return nil }
    do {
      return try Flags.parse(try splitWords(flags)).optimizer
    } catch let error as GridError {
      throw DataError(path, expected: error.expected, found: error.found)
    } catch {
      throw DataError(
        path, expected: "flags of an optimizer for \(group.pattern)", found: "\(flags): \(Flags.message(for: error))")
    }
  }

  /// - Parameter make: makes what flags say.
  func optimizer(
    rest: any Optimizer<Float>, make: (OptimizerOptions) throws -> any Optimizer<Float>
  ) throws -> OptimizerGroups<Float> {
    var list: [ParameterGroup<Float>] = []
    for group in groups {
      do {
        list.append(ParameterGroup(group.pattern, optimizer: try options(of: group).map(make)))
      } catch let error as FisherError {
        throw DataError("\(path): \(group.pattern)", expected: "flags that go with the others", found: "\(error)")
      }
    }
    return try OptimizerGroups(list + [ParameterGroup(.all, optimizer: rest)])
  }
}
