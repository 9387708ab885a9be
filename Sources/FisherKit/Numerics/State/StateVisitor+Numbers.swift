extension StateVisitor {
  /// A number that is in the object itself.
  public func visit<Number: StateNumber>(_ name: String, _ number: inout Number) throws {
    let found = try recorded(name, number)
    if isRestoring { number = found }
  }

  /// An integer in a range: others are refused.
  public func visit(_ name: String, _ number: inout Int, in range: ClosedRange<Int>) throws {
    let found = try recorded(name, number)
    guard isCounting || range.contains(found) else {
      throw StateError(place(name), expected: words(range), found: "\(found)")
    }
    if isRestoring { number = found }
  }

  public func visit(_ name: String, _ flag: inout Bool) throws {
    let found = try recorded(name, flag)
    if isRestoring { flag = found }
  }

  /// A number that may not be there.
  public func visit<Number: StateNumber>(_ name: String, _ number: inout Number?) throws {
    var list = number.map { [$0] } ?? []
    let before = bytes
    try visit(name, &list, isOfAnyCount: true)
    bytes = before
    guard list.count <= 1 else {
      throw StateError(place(name), expected: "one number, or none", found: "\(list.count)")
    }
    if isRestoring { number = list.first }
  }

  /// What was saved under a name, in a visit that compares or restores; else `number`, which is saved where it is to be.
  /// Nothing is filled: it is for what the rest of a visit depends on.
  public func recorded<Number: StateNumber>(_ name: String, _ number: Number) throws -> Number {
    var number = number
    let element = Number._stateElement
    try withUnsafeMutableBytes(of: &number) { try save(name, .number, element, shape: [], StateMemory($0)) }
    let saved = try find(name, .number, element, expected: [], fits: \.isEmpty)
    return try saved?.numbers(Number.self, count: 1)[0] ?? number
  }

  /// The same of a flag.
  public func recorded(_ name: String, _ flag: Bool) throws -> Bool {
    var byte: UInt8 = flag ? 1 : 0
    try withUnsafeMutableBytes(of: &byte) { try save(name, .number, .flag, shape: [], StateMemory($0)) }
    guard let saved = try find(name, .number, .flag, expected: [], fits: \.isEmpty) else { return flag }
    try withUnsafeMutableBytes(of: &byte) { try saved.read(into: StateMemory($0)) }
    guard byte <= 1 else { throw StateError(saved.place, expected: "0 or 1", found: "\(byte)") }
    return byte == 1
  }

  /// What the state is of, and what it can be restored to alone: a setting by which the same numbers mean something else.
  public func fixed(_ name: String, _ value: some CustomStringConvertible) throws {
    let text = value.description
    var characters = Array(text.utf8)
    let count = characters.count
    try characters.withUnsafeMutableBytes { try save(name, .text, .character, shape: [count], StateMemory($0)) }
    guard let saved = try find(name, .text, .character, expected: ["\(count)"], fits: { $0.count == 1 }) else { return }
    let found = try saved.characters()
    guard found == characters else {
      throw StateError(saved.place, expected: text, found: String(decoding: found.prefix(100), as: UTF8.self))
    }
  }

  /// A text of any length.
  public func visit(_ name: String, _ text: inout String) throws {
    if isCounting { return bytes += text.utf8.count }
    var characters = Array(text.utf8)
    let count = characters.count
    try characters.withUnsafeMutableBytes { try save(name, .text, .character, shape: [count], StateMemory($0)) }
    guard let saved = try find(name, .text, .character, expected: ["of any length"], fits: { $0.count == 1 }) else {
      return
    }
    guard let found = String(validatingUTF8Bytes: try saved.characters()) else {
      throw StateError(saved.place, expected: "a text in UTF-8", found: "other bytes")
    }
    if isRestoring { text = found }
  }
}

extension SavedEntry {
  fileprivate func characters() throws -> [UInt8] {
    var found = [UInt8](repeating: 0, count: entry.bytes)
    try found.withUnsafeMutableBytes { try read(into: StateMemory($0)) }
    return found
  }
}

extension String {
  fileprivate init?(validatingUTF8Bytes bytes: [UInt8]) {
    self.init(decoding: bytes, as: UTF8.self)
    guard utf8.elementsEqual(bytes) else { return nil }
  }
}
