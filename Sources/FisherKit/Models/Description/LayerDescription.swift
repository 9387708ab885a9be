/// One layer of a model's description: its values by name, as a file has them. A kind of layer asks for those that it knows;
/// what nobody asked for is refused.
public struct LayerDescription {
  /// Names the file and the layer in an error.
  public let place: String
  private let values: [String: JSONValue]
  private let asked: Asked

  private final class Asked { var names: Set<String> = [] }

  init(_ values: [String: JSONValue], place: String) {
    (self.values, self.place, asked) = (values, place, Asked())
  }

  private func value(_ name: String) -> JSONValue? {
    asked.names.insert(name)
    return values[name]
  }

  public func has(_ name: String) -> Bool { values[name] != nil }

  func mistake(_ name: String, _ expected: String, _ found: JSONValue) -> DataError {
    DataError("\(place): \(name)", expected: expected, found: shortText(found.summary))
  }

  public func text(_ name: String) throws(DataError) -> String? {
    guard let value = value(name) else { return nil }
    guard case .text(let text) = value else { throw mistake(name, "a text", value) }
    return text
  }

  public func flag(_ name: String) throws(DataError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard case .bool(let flag) = value else { throw mistake(name, "true or false", value) }
    return flag
  }

  public func number(_ name: String) throws(DataError) -> Double? {
    guard let value = value(name) else { return nil }
    switch value {
    case .number(let number): return number
    case .integer(let number): return Double(number)
    default: throw mistake(name, "a number", value)
    }
  }

  /// From 1 to 2³¹ − 1.
  public func count(_ name: String) throws(DataError) -> Int? {
    guard let value = value(name) else { return nil }
    guard case .integer(let count) = value, count >= 1, count <= Int64(Int32.max) else {
      throw mistake(name, "a whole number from 1 to \(Int32.max)", value)
    }
    return Int(count)
  }

  /// As the file has it.
  func raw(_ name: String) -> JSONValue? { value(name) }

  /// Some numbers from 1.
  func counts(_ name: String) throws(DataError) -> [Int]? {
    guard let value = value(name) else { return nil }
    guard case .array(let list) = value, !list.isEmpty else { throw mistake(name, "a list of whole numbers", value) }
    var counts: [Int] = []
    for item in list {
      guard case .integer(let count) = item, count >= 1, count <= Int64(Int32.max) else {
        throw mistake(name, "whole numbers from 1", item)
      }
      counts.append(Int(count))
    }
    return counts
  }

  /// A number for both ways, or one for each: down, then across.
  public func size(_ name: String, from least: Int = 1) throws(DataError) -> ImageWindow.Size? {
    guard let value = value(name) else { return nil }
    func side(_ value: JSONValue) throws(DataError) -> Int {
      guard case .integer(let side) = value, side >= Int64(least), side <= Int64(Int32.max) else {
        throw mistake(name, "a whole number from \(least), or two of them", value)
      }
      return Int(side)
    }
    if case .array(let sides) = value {
      guard sides.count == 2 else { throw mistake(name, "a whole number from \(least), or two of them", value) }
      return ImageWindow.Size(try side(sides[0]), try side(sides[1]))
    }
    let both = try side(value)
    return ImageWindow.Size(both, both)
  }

  /// An activation by its name, or by its name and numbers: {"name": "elu", "alpha": 0.5}.
  public func activation(_ name: String = "activation") throws(DataError) -> (any Activation)? {
    guard let value = value(name) else { return nil }
    var (kind, numbers): (String, [String: Double]) = ("", [:])
    switch value {
    case .text(let text): kind = text
    case .object(let object):
      for (key, value) in object {
        switch value {
        case .text(let text) where key == "name": kind = text
        case .number(let number): numbers[key] = number
        case .integer(let number): numbers[key] = Double(number)
        default: throw mistake(name, "a name and numbers", value)
        }
      }
    default: throw mistake(name, "an activation's name", value)
    }
    guard let known = builtInActivations.first(where: { $0.name == kind }) else {
      throw DataError(
        "\(place): \(name)", expected: builtInActivations.map(\.name).joined(separator: ", "), found: shortText(kind))
    }
    let all = known.parameters.merging(numbers) { $1 }
    guard all.count == known.parameters.count, let made = type(of: known).init(parameters: all) else {
      throw mistake(name, "the parameters of an activation \(kind)", value)
    }
    return made
  }

  /// The layers that this one is made of.
  func layers(_ name: String) throws(DataError) -> [LayerDescription] {
    guard let value = value(name) else {
      throw DataError(place, expected: "\(name), a list of layers", found: "none")
    }
    return try Self.list(value, place: place, name: name)
  }

  /// Lists of them.
  func branches(_ name: String) throws(DataError) -> [[LayerDescription]] {
    guard let value = value(name) else {
      throw DataError(place, expected: "\(name), lists of layers", found: "none")
    }
    guard case .array(let branches) = value, !branches.isEmpty else { throw mistake(name, "lists of layers", value) }
    var all: [[LayerDescription]] = []
    for (index, branch) in branches.enumerated() {
      all.append(try Self.list(branch, place: "\(place), branch \(index + 1)", name: name))
    }
    return all
  }

  static func list(_ value: JSONValue, place: String, name: String) throws(DataError) -> [LayerDescription] {
    guard case .array(let layers) = value, !layers.isEmpty else {
      throw DataError("\(place): \(name)", expected: "a list of layers", found: shortText(value.summary))
    }
    var all: [LayerDescription] = []
    for (index, layer) in layers.enumerated() {
      guard case .object(let values) = layer else {
        throw DataError(
          "\(place): layer \(index + 1)", expected: "an object such as {\"layer\": \"dense\", \"outputs\": 64}",
          found: shortText(layer.summary))
      }
      var what = ""
      if case .text(let kind)? = values["layer"] { what = ", \(shortText(kind))" }
      all.append(LayerDescription(values, place: "\(place): layer \(index + 1)\(what)"))
    }
    return all
  }

  /// Refuses what nobody asked for.
  func requireAllAsked() throws(DataError) {
    guard let surplus = values.keys.sorted().first(where: { !asked.names.contains($0) }) else { return }
    throw DataError(
      place, expected: "no more than \(asked.names.sorted().joined(separator: ", "))", found: shortText(surplus))
  }
}
