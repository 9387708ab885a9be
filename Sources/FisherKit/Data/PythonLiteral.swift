/// A value as Python source writes it, so far as NPY headers use them: strings in either quotes, whole numbers, True and
/// False, tuples, lists, and dictionaries with strings as keys. Python 2 has a `u` before some strings, and an `L` behind
/// numbers that it holds as longs.
enum PythonLiteral {
  case string(String)
  case integer(Int)
  case bool(Bool)
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([(key: String, value: PythonLiteral)])

  /// What was expected at byte `offset`, and what is there.
  struct Failure: Error {
    let offset: Int
    let expected: String
    let found: String
  }

  /// Parses `source`, which holds one value, with spaces and line ends around it.
  init(parsing source: [UInt8]) throws(Failure) {
    var parser = Parser(source: source)
    self = try parser.value(depth: 0)
    parser.skipSpaces()
    guard parser.next == nil else { throw parser.failure(expected: "the end") }
  }
}

private struct Parser {
  private let source: [UInt8]
  private var offset = 0

  init(source: [UInt8]) { self.source = source }

  var next: UInt8? { offset < source.count ? source[offset] : nil }

  mutating func skipSpaces() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0c, 0x0d].contains(byte) { offset += 1 }
  }

  func failure(expected: String, at offset: Int? = nil) -> PythonLiteral.Failure {
    let offset = offset ?? self.offset
    let rest = source[min(offset, source.count)...].prefix(12)
    let found = rest.isEmpty ? "the end" : String(reflecting: String(decoding: rest, as: UTF8.self))
    return .init(offset: offset, expected: expected, found: found)
  }

  /// - Parameter depth: the brackets around it. They are limited, because each takes some of the stack.
  mutating func value(depth: Int) throws(PythonLiteral.Failure) -> PythonLiteral {
    guard depth < 64 else { throw failure(expected: "no more than 64 brackets in each other") }
    skipSpaces()
    switch next {
    case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "u"): return .string(try string())
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return .integer(try integer())
    case UInt8(ascii: "{"):
      var pairs: [(key: String, value: PythonLiteral)] = []
      _ = try items(until: "}") { (parser) throws(PythonLiteral.Failure) in
        let key = try parser.string()
        parser.skipSpaces()
        guard parser.take(":") else { throw parser.failure(expected: "a colon") }
        pairs.append((key, try parser.value(depth: depth + 1)))
      }
      return .dictionary(pairs)
    case UInt8(ascii: "("):
      let (values, endsWithComma) = try values(until: ")", depth: depth)
      // Brackets alone make no tuple: (3) is 3.
      return values.count == 1 && !endsWithComma ? values[0] : .tuple(values)
    case UInt8(ascii: "["): return .list(try values(until: "]", depth: depth).0)
    default:
      for (word, bool) in [("True", true), ("False", false)] where source[offset...].starts(with: word.utf8) {
        offset += word.utf8.count
        return .bool(bool)
      }
      throw failure(expected: "a value")
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func values(
    until end: Unicode.Scalar, depth: Int
  ) throws(PythonLiteral.Failure) -> ([PythonLiteral], endsWithComma: Bool) {
    var values: [PythonLiteral] = []
    let endsWithComma = try items(until: end) { (parser) throws(PythonLiteral.Failure) in
      values.append(try parser.value(depth: depth + 1))
    }
    return (values, endsWithComma)
  }

  /// An opening bracket, items with commas between them and perhaps one behind them, and the closing bracket.
  /// - Returns: whether there is a comma behind the last item.
  private mutating func items(
    until end: Unicode.Scalar, _ item: (inout Parser) throws(PythonLiteral.Failure) -> Void
  ) throws(PythonLiteral.Failure) -> Bool {
    offset += 1
    var endsWithComma = false
    while true {
      skipSpaces()
      if take(end) { return endsWithComma }
      try item(&self)
      skipSpaces()
      endsWithComma = take(",")
      guard endsWithComma || next == UInt8(ascii: end) else { throw failure(expected: "a comma or \(end)") }
    }
  }

  private mutating func string() throws(PythonLiteral.Failure) -> String {
    let start = offset
    _ = take("u")
    let quote = next
    guard take("'") || take("\"") else { throw failure(expected: "a string", at: start) }
    var bytes: [UInt8] = []
    while let byte = next, byte != 0x0a {
      offset += 1
      if byte == quote { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
      // (what \n and the like stand for is of no interest, and no type is called so; that \' ends no string is)
      if byte == UInt8(ascii: "\\"), let escaped = next {
        bytes.append(escaped)
        offset += 1
      }
    }
    throw failure(expected: "a string that ends", at: start)
  }

  private mutating func integer() throws(PythonLiteral.Failure) -> Int {
    let start = offset
    _ = take("-")
    let digits = source[offset...].prefix(while: isDigit)
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else {
      throw failure(expected: "a whole number", at: start)
    }
    offset += digits.count
    guard let number = Int(String(decoding: source[start..<offset], as: UTF8.self)) else {
      throw failure(expected: "a number of at most 64 bits", at: start)
    }
    _ = take("L")
    return number
  }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

extension PythonLiteral: CustomStringConvertible {
  var description: String {
    switch self {
    case .string(let text): String(reflecting: text)
    case .integer(let number): String(number)
    case .bool(let bool): bool ? "True" : "False"
    case .tuple(let values): "(\(Self.list(values))\(values.count == 1 ? "," : ""))"
    case .list(let values): "[\(Self.list(values))]"
    case .dictionary(let pairs):
      "{\(pairs.map { "\(String(reflecting: $0.key)): \($0.value)" }.joined(separator: ", "))}"
    }
  }

  private static func list(_ values: [PythonLiteral]) -> String {
    values.map(\.description).joined(separator: ", ")
  }
}
