/// Parses the header of a safetensors file: JSON, strictly, of the one form that it can have. No two names are the same,
/// numbers are whole and not negative, texts are valid UTF-8. It makes nothing but what it returns, however the text goes
/// on.
struct SafetensorsParser {
  /// What was expected at byte `offset`, and what is there.
  struct Failure: Error {
    let offset: Int
    let expected: String
    let found: String
  }

  typealias Entry = SafetensorsHeader.Entry
  private let source: [UInt8]
  private var offset = 0

  static func parse(_ source: [UInt8]) throws(Failure) -> (metadata: [String: String], entries: [Entry]) {
    var parser = SafetensorsParser(source: source)
    var metadata: [String: String]?
    var entries: [Entry] = []
    var names: Set<String> = []
    guard parser.next == UInt8(ascii: "{") else { throw parser.failure(expected: "{") }
    try parser.object { (parser, key, place) throws(Failure) in
      if key == SafetensorsHeader.metadataKey {
        guard metadata == nil else { throw parser.failure(expected: "each name once", at: place) }
        metadata = try parser.texts()
      } else {
        guard names.insert(key).inserted else { throw parser.failure(expected: "each name once", at: place) }
        entries.append(try parser.entry(key))
      }
    }
    parser.skipSpaces()
    guard parser.next == nil else { throw parser.failure(expected: "the end") }
    return (metadata ?? [:], entries)
  }

  private init(source: [UInt8]) { self.source = source }

  private var next: UInt8? { offset < source.count ? source[offset] : nil }

  private mutating func skipSpaces() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
  }

  private func failure(expected: String, at offset: Int? = nil) -> Failure {
    let offset = offset ?? self.offset
    let rest = source[min(offset, source.count)...].prefix(12)
    let found = rest.isEmpty ? "the end" : String(reflecting: String(decoding: rest, as: UTF8.self))
    return Failure(offset: offset, expected: expected, found: found)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func require(_ character: Unicode.Scalar, _ name: String? = nil) throws(Failure) {
    skipSpaces()
    guard take(character) else { throw failure(expected: name ?? String(character)) }
  }

  /// Braces, and between them keys with their values, which `member` reads.
  private mutating func object(
    _ member: (inout Self, _ key: String, _ place: Int) throws(Failure) -> Void
  ) throws(Failure) {
    try items("{", "}") { (parser) throws(Failure) in
      let place = parser.offset
      let key = try parser.string()
      try parser.require(":", "a colon")
      parser.skipSpaces()
      try member(&parser, key, place)
    }
  }

  private mutating func items(
    _ start: Unicode.Scalar, _ end: Unicode.Scalar, _ item: (inout Self) throws(Failure) -> Void
  ) throws(Failure) {
    try require(start)
    skipSpaces()
    if take(end) { return }
    while true {
      skipSpaces()
      try item(&self)
      skipSpaces()
      if take(end) { return }
      guard take(",") else { throw failure(expected: "a comma or \(end)") }
    }
  }

  private mutating func texts() throws(Failure) -> [String: String] {
    var texts: [String: String] = [:]
    try object { (parser, key, place) throws(Failure) in
      guard texts.updateValue(try parser.string(), forKey: key) == nil else {
        throw parser.failure(expected: "each name once", at: place)
      }
    }
    return texts
  }

  /// Such as {"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}.
  private mutating func entry(_ name: String) throws(Failure) -> Entry {
    let start = offset
    var (type, shape, places) = (SafetensorsHeader.ElementType?.none, [Int]?.none, [Int]?.none)
    try object { (parser, key, place) throws(Failure) in
      switch key {
      case "dtype" where type == nil:
        let place = parser.offset
        type = .init(rawValue: try parser.string())
        if type == nil { throw parser.failure(expected: "a type such as \"F32\"", at: place) }
      case "shape" where shape == nil: shape = try parser.numbers(limit: NPYHeader.maximumRank)
      case "data_offsets" where places == nil: places = try parser.numbers(limit: 2)
      default: throw parser.failure(expected: "dtype, shape and data_offsets, once each,", at: place)
      }
    }
    guard let type, let shape, let places, places.count == 2 else {
      throw failure(expected: "dtype, shape and two data_offsets", at: start)
    }
    return Entry(name: name, type: type, shape: shape, start: places[0], end: places[1])
  }

  private mutating func numbers(limit: Int) throws(Failure) -> [Int] {
    var numbers: [Int] = []
    let start = offset
    try items("[", "]") { (parser) throws(Failure) in
      guard numbers.count < limit else { throw parser.failure(expected: "at most \(limit) numbers", at: start) }
      numbers.append(try parser.number())
    }
    return numbers
  }

  private mutating func number() throws(Failure) -> Int {
    let start = offset
    while let byte = next, isDigit(byte) { offset += 1 }
    let digits = source[start..<offset]
    // (a fraction or an exponent is not what can follow a number here, and is refused by what reads on)
    guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      throw failure(expected: "a whole number from 0", at: start)
    }
    guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
      throw failure(expected: "a number of at most 63 bits", at: start)
    }
    return number
  }

  private mutating func string() throws(Failure) -> String {
    let start = offset
    guard take("\"") else { throw failure(expected: "a string") }
    var bytes: [UInt8] = []
    while let byte = next, byte >= 0x20 {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        let text = String(decoding: bytes, as: UTF8.self)
        // (what is no UTF-8 is decoded as something else)
        guard text.utf8.elementsEqual(bytes) else { throw failure(expected: "valid UTF-8 in the string", at: start) }
        return text
      case UInt8(ascii: "\\"): bytes += try escape()
      default: bytes.append(byte)
      }
    }
    throw failure(expected: "a string that ends", at: start)
  }

  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
    UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
  ]

  /// What stands behind a backslash.
  private mutating func escape() throws(Failure) -> [UInt8] {
    let start = offset - 1
    if let byte = next, let meant = Self.escapes[byte] {
      offset += 1
      return [meant]
    }
    guard let first = unit() else { throw failure(expected: "an escape of JSON", at: start) }
    var units = [first]
    if UTF16.isLeadSurrogate(first), take("\\"), let second = unit() { units.append(second) }
    guard units.count == 2 ? UTF16.isTrailSurrogate(units[1]) : !(0xd800..<0xe000).contains(first) else {
      throw failure(expected: "a whole pair of surrogates", at: start)
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// Such as u00e9.
  private mutating func unit() -> UInt16? {
    let digits = source[min(offset + 1, source.count)...].prefix(4)
    guard next == UInt8(ascii: "u"), digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
    else { return nil }
    offset += 5
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
