import Foundation

/// A layer of a network as files have it: what it is. Its numbers are tensors beside it, called as in PyTorch.
public struct LayerRecord: Equatable, Sendable {
  /// The name and shape of a tensor, `weight` of `layers.0.body.weight`.
  public struct Tensor: Equatable, Sendable {
    public let name: String
    public let shape: [Int]
    /// Whether an optimizer changes it; statistics that a layer keeps are not.
    public let isLearned: Bool

    public init(_ name: String, _ shape: [Int], isLearned: Bool = true) {
      (self.name, self.shape, self.isLearned) = (name, shape, isLearned)
    }
  }

  /// See ``KeepableLayer/kind``.
  public let kind: String
  /// The parameter's name for messages, of a layer that has one.
  public let name: String?
  public let inputExtent: Extent
  public let outputExtent: Extent
  /// Where it is in the layer that it is a part of, such as `body`; `nil` for the layers of the network.
  let at: String?
  /// What ``KeepableLayer/settings(place:)`` says.
  let settings: [String: JSONValue]
  let parts: [LayerRecord]

  /// Layers in each other are no deeper than this.
  static let maximumDepth = 32

  public var inputs: Int { inputExtent.channels }
  public var outputs: Int { outputExtent.channels }

  init(
    kind: String, name: String?, inputExtent: Extent, outputExtent: Extent, at: String?,
    settings: [String: JSONValue], parts: [LayerRecord]
  ) {
    (self.kind, self.name, self.at, self.settings, self.parts) = (kind, name, at, settings, parts)
    (self.inputExtent, self.outputExtent) = (inputExtent, outputExtent)
  }

  /// Whether versions that knew chains of these two alone would read it as it is.
  var isOfFirstFormat: Bool {
    (kind == Dense<Float>.kind || kind == BatchNormalization<Float>.kind) && parts.isEmpty && name != nil
      && inputExtent.positions == 1 && outputExtent.positions == 1
  }

  /// The settings as a kind of layer has them.
  func settings<Settings: Codable>(as _: Settings.Type, place: String) throws(DataError) -> Settings {
    let expected = "a \(kind) layer with what belongs to it"
    let (settings, known): (Settings, [String: JSONValue])
    do {
      let data = try JSONEncoder().encode(self.settings)
      settings = try JSONDecoder().decode(Settings.self, from: data)
      known = try Self.values(of: settings)
    } catch {
      let found = (error as? DecodingError)?.summary(of: Data("{}".utf8)) ?? "\(error)"
      throw DataError(place, expected: expected, found: shortText(found))
    }
    if let surplus = self.settings.keys.sorted().first(where: { known[$0] == nil }) {
      throw DataError(place, expected: expected, found: "\(shortText(surplus)) too")
    }
    return settings
  }

  /// Settings by name.
  static func values(of settings: any Encodable) throws -> [String: JSONValue] {
    let data = try JSONEncoder().encode(settings)
    return try JSONDecoder().decode([String: JSONValue].self, from: data).filter { $0.value != .null }
  }

  /// Of any kind: widths, then what its settings say.
  var plainSummary: [String] {
    ["\(inputExtent) to \(outputExtent)"]
      + settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.summary)" }
  }
}

extension LayerRecord: Codable {
  enum Name {
    static let (kind, name, at, parts) = ("kind", "name", "at", "parts")
    static let (inputs, outputs) = ("inputs", "outputs")
    static let (positions, outputPositions) = ("positions", "output_positions")
    static let all: Set<String> = [kind, name, at, parts, inputs, outputs, positions, outputPositions]
  }

  /// Of a text that has layers in each other beyond ``maximumDepth``.
  struct TooDeep: Error {}

  public init(from decoder: any Decoder) throws {
    // (a layer and its place in a list for each)
    guard decoder.codingPath.count <= 2 * Self.maximumDepth else { throw TooDeep() }
    let object = try decoder.container(keyedBy: JSONKey.self)
    func number(_ name: String) throws -> Int? { try object.decodeIfPresent(Int.self, forKey: JSONKey(name)) }
    let positions = try number(Name.positions) ?? 1
    self.init(
      kind: try object.decode(String.self, forKey: JSONKey(Name.kind)),
      name: try object.decodeIfPresent(String.self, forKey: JSONKey(Name.name)),
      inputExtent: Extent(
        channels: try object.decode(Int.self, forKey: JSONKey(Name.inputs)), positions: positions),
      outputExtent: Extent(
        channels: try object.decode(Int.self, forKey: JSONKey(Name.outputs)),
        positions: try number(Name.outputPositions) ?? positions),
      at: try object.decodeIfPresent(String.self, forKey: JSONKey(Name.at)),
      settings: try Dictionary(
        uniqueKeysWithValues: object.allKeys.filter { !Name.all.contains($0.stringValue) }.map {
          ($0.stringValue, try object.decode(JSONValue.self, forKey: $0))
        }
      ).filter { $0.value != .null },
      parts: try object.decodeIfPresent([LayerRecord].self, forKey: JSONKey(Name.parts)) ?? [])
  }

  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: JSONKey.self)
    try object.encode(kind, forKey: JSONKey(Name.kind))
    try object.encodeIfPresent(name, forKey: JSONKey(Name.name))
    try object.encodeIfPresent(at, forKey: JSONKey(Name.at))
    try object.encode(inputs, forKey: JSONKey(Name.inputs))
    try object.encode(outputs, forKey: JSONKey(Name.outputs))
    if inputExtent.positions != 1 { try object.encode(inputExtent.positions, forKey: JSONKey(Name.positions)) }
    if outputExtent.positions != inputExtent.positions {
      try object.encode(outputExtent.positions, forKey: JSONKey(Name.outputPositions))
    }
    for (name, value) in settings { try object.encode(value, forKey: JSONKey(name)) }
    if !parts.isEmpty { try object.encode(parts, forKey: JSONKey(Name.parts)) }
  }
}
