/// A value of JSON whose meaning somebody else knows.
enum JSONValue: Codable, Equatable, Sendable {
  case bool(Bool)
  /// Whole numbers stay exact.
  case integer(Int64)
  case natural(UInt64)
  case number(Double)
  case text(String)
  case array([JSONValue])
  case object([String: JSONValue])
  case null

  /// Deeper in each other than any settings are.
  struct TooDeep: Error {}
  static let maximumDepth = 100

  init(from decoder: any Decoder) throws {
    guard decoder.codingPath.count <= Self.maximumDepth else { throw TooDeep() }
    if let object = try? decoder.container(keyedBy: JSONKey.self) {
      self = .object(
        try Dictionary(
          uniqueKeysWithValues: object.allKeys.map { ($0.stringValue, try object.decode(Self.self, forKey: $0)) }
        ))
      return
    }
    if var array = try? decoder.unkeyedContainer() {
      var values: [JSONValue] = []
      while !array.isAtEnd { values.append(try array.decode(Self.self)) }
      self = .array(values)
      return
    }
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let natural = try? value.decode(UInt64.self) {
      self = .natural(natural)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .number(try value.decode(Double.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .object(let values):
      var object = encoder.container(keyedBy: JSONKey.self)
      for (key, value) in values { try object.encode(value, forKey: JSONKey(key)) }
    case .array(let values):
      var array = encoder.unkeyedContainer()
      for value in values { try array.encode(value) }
    case .bool(let value): try encode(value, to: encoder)
    case .integer(let value): try encode(value, to: encoder)
    case .natural(let value): try encode(value, to: encoder)
    case .number(let value): try encode(value, to: encoder)
    case .text(let value): try encode(value, to: encoder)
    case .null:
      var single = encoder.singleValueContainer()
      try single.encodeNil()
    }
  }

  private func encode<Value: Encodable>(_ value: Value, to encoder: any Encoder) throws {
    var single = encoder.singleValueContainer()
    try single.encode(value)
  }

  /// In a few words, for a line of text.
  var summary: String {
    switch self {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .natural(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): value
    case .array(let values): values.map(\.summary).joined(separator: " ")
    case .object(let values):
      "(" + values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.summary)" }.joined(separator: ", ") + ")"
    case .null: "none"
    }
  }
}

/// Any name.
struct JSONKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { return nil }
}
