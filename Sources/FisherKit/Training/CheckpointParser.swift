/// Takes the body of a checkpoint's header apart. Nothing that it claims is allocated before it was seen to be there.
struct CheckpointParser {
  private var rest: ArraySlice<UInt8>
  private let count: Int

  init(_ body: some Sequence<UInt8>) {
    rest = Array(body)[...]
    count = rest.count
  }

  /// How far it came.
  var offset: Int { count - rest.count }

  /// `nil` where the body is none.
  mutating func header() -> CheckpointHeader? {
    var header = CheckpointHeader()
    guard let version = text(), let notes = number(4) else { return nil }
    header.version = version
    for _ in 0..<notes {
      guard let key = text(), let note = text(), header.notes.updateValue(note, forKey: key) == nil else { return nil }
    }
    guard let entries = number(4) else { return nil }
    for _ in 0..<entries {
      guard let entry = entry() else { return nil }
      header.entries.append(entry)
    }
    return rest.isEmpty ? header : nil
  }

  private mutating func entry() -> StateEntry? {
    guard let name = text(), let kind = number(1).flatMap({ StateEntry.Kind(rawValue: UInt8($0)) }),
      let element = number(1).flatMap({ StateEntry.Element(rawValue: UInt8($0)) }), let rank = number(1),
      rank == kind.rank
    else { return nil }
    var shape: [Int] = []
    for _ in 0..<rank {
      guard let size = number(8) else { return nil }
      shape.append(size)
    }
    guard let bytes = number(8) else { return nil }
    var size = element.width
    for factor in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      size = product
    }
    // (how many elements packed blocks have is for those who hold them to say)
    guard kind == .blocks || size == bytes else { return nil }
    return StateEntry(name, kind, element, shape: shape, bytes: bytes)
  }

  private mutating func number(_ width: Int) -> Int? {
    guard rest.count >= width else { return nil }
    let number = littleEndian(rest.prefix(width))
    guard number >= 0 else { return nil }
    rest = rest.dropFirst(width)
    return number
  }

  private mutating func text() -> String? {
    guard let length = number(4), length <= rest.count else { return nil }
    let text = String(decoding: rest.prefix(length), as: UTF8.self)
    guard text.utf8.elementsEqual(rest.prefix(length)) else { return nil }
    rest = rest.dropFirst(length)
    return text
  }
}

extension StateEntry.Kind {
  /// The number of sizes.
  fileprivate var rank: Int {
    switch self {
    case .matrix, .blocks: 2
    case .buffer, .list, .text: 1
    case .number: 0
    }
  }
}
