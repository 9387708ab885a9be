import FisherKit
import FisherKitToolSupport
import Foundation

extension ExperimentGrid {
  /// Reads a grid from a file of JSON.
  /// - Throws: ``DataError`` where it is not one, naming the member that is wrong.
  static func load(path: String) throws(DataError) -> ExperimentGrid {
    let data = try readText(path, what: "a file with a grid of experiments in JSON", limit: 1 << 24)
    return try ExperimentGrid(data, path: path)
  }

  init(_ data: Data, path: String) throws(DataError) {
    do {
      self = try JSONDecoder().decode(ExperimentGrid.self, from: data).checked()
    } catch let error as DecodingError {
      throw DataError(path, expected: "a grid (see fisher experiment --print-grid)", found: error.summary(of: data))
    } catch let error as GridError {
      throw DataError(path, expected: error.expected, found: error.found)
    } catch {
      throw DataError(path, expected: "a grid", found: "\(error)")
    }
  }

  /// Members that are not there have these values: no flags, all seeds at all rates, the losses of the built-in grids.
  init(from decoder: any Decoder) throws {
    try requireKnown(CodingKeys.self, in: decoder)
    let members = try decoder.container(keyedBy: CodingKeys.self)
    name = try members.decode(String.self, forKey: .name)
    flags = try members.decodeIfPresent(String.self, forKey: .flags) ?? ""
    networks = try members.decode([Network].self, forKey: .networks)
    optimizers = try members.decode([Optimizer].self, forKey: .optimizers)
    seeds = try members.decode(Int.self, forKey: .seeds)
    selectionSeeds = try members.decodeIfPresent(Int.self, forKey: .selectionSeeds) ?? seeds
    losses = try members.decodeIfPresent([Double].self, forKey: .losses) ?? ExperimentGrid.usualLosses
  }

  static let usualLosses = [0.5, 0.4, 0.3, 0.27, 0.25]

  /// Itself, where its numbers and names are such that it can be run.
  func checked() throws(GridError) -> ExperimentGrid {
    try requireNames("networks", networks.map(\.name))
    try requireNames("optimizers", optimizers.map(\.name))
    // (each by itself: quotes do not go from one's flags into another's)
    for flags in [flags] + networks.map(\.flags) + optimizers.map(\.flags) { _ = try splitWords(flags) }
    guard (1...1_000_000).contains(seeds) else {
      throw GridError(expected: "seeds from 1 to 1000000", found: "\(seeds)")
    }
    guard (1...seeds).contains(selectionSeeds) else {
      throw GridError(expected: "selection_seeds from 1 to \(seeds), the seeds", found: "\(selectionSeeds)")
    }
    guard losses.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw GridError(expected: "losses above 0", found: "\(losses)")
    }
    for optimizer in optimizers {
      let rates = optimizer.learningRates
      guard !rates.isEmpty, Set(rates).count == rates.count, rates.allSatisfy({ $0 >= 1e-30 && $0 <= 1e30 }) else {
        throw GridError(
          expected: "learning_rates of \(optimizer.name): different numbers from 1e-30 to 1e30", found: "\(rates)")
      }
    }
    guard runCount <= Self.mostRuns else {
      throw GridError(expected: "at most \(Self.mostRuns) runs", found: "\(runCount)")
    }
    // Runs are known by their flags.
    var owners: [String: String] = [:]
    for network in networks {
      for optimizer in optimizers {
        let (recipe, owner) = (recipe(network, optimizer), "\(network.name) by \(optimizer.name)")
        if let other = owners.updateValue(owner, forKey: recipe) {
          throw GridError(
            expected: "different flags for \(other) and \(owner)", found: "\"\(recipe)\" for both")
        }
      }
    }
    return self
  }

  static let mostRuns = 1_000_000

  private func requireNames(_ what: String, _ names: [String]) throws(GridError) {
    guard !names.isEmpty, Set(names).count == names.count, names.allSatisfy({ !$0.isEmpty }) else {
      throw GridError(expected: "\(what) with names, all different", found: "\(names)")
    }
  }

  /// The text of the grid as a file.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self).printableJSON
  }
}

extension ExperimentGrid.Network {
  init(from decoder: any Decoder) throws {
    try requireKnown(CodingKeys.self, in: decoder)
    let members = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try members.decode(String.self, forKey: .name), flags: try members.decode(String.self, forKey: .flags))
  }
}

extension ExperimentGrid.Optimizer {
  init(from decoder: any Decoder) throws {
    try requireKnown(CodingKeys.self, in: decoder)
    let members = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try members.decode(String.self, forKey: .name), flags: try members.decode(String.self, forKey: .flags),
      learningRates: try members.decode([Double].self, forKey: .learningRates))
  }
}

/// A member that is misspelt would be one that is left out.
func requireKnown<Key: CodingKey & CaseIterable>(_: Key.Type, in decoder: any Decoder) throws {
  let known = Key.allCases.map(\.stringValue).sorted()
  let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
  guard let other = found.first(where: { !known.contains($0) }) else { return }
  let place = decoder.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
  throw GridError(
    expected: "members \(known.joined(separator: ", "))\(place.isEmpty ? "" : " at \(place)")", found: "\"\(other)\"")
}

/// What is wrong with a grid.
struct GridError: Error, CustomStringConvertible {
  var expected: String
  var found: String
  var description: String { "expected \(expected), found \(found)" }
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
