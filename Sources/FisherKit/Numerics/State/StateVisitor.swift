/// What a ``State`` shows its members to: it counts them, judges them, saves them or restores them.
///
/// To restore is to visit twice: first everything is compared with what was saved, and nothing is touched; only where all of
/// it fits is it filled. What can go wrong after that is memory that ends, or a file that goes away.
public final class StateVisitor {
  enum Purpose {
    case counting
    case judging
    case saving(any StateSink)
    /// Compares with what was saved.
    case comparing(any StateSource)
    case restoring(any StateSource)
  }

  let purpose: Purpose
  var bytes = 0
  var firstNonFinite: String?
  private var path: [String] = []
  private var seen: Set<String> = []
  private var places: [String: Int] = [:]

  init(_ purpose: Purpose) {
    self.purpose = purpose
    if let source {
      for (index, entry) in source.entries.enumerated() { places[entry.name] = index }
    }
  }

  /// Whether memory is counted, or numbers are judged, and nothing is saved or restored.
  public var isCounting: Bool { sink == nil && source == nil }
  /// Whether what is shown is being filled.
  public var isRestoring: Bool { if case .restoring = purpose { true } else { false } }

  private var sink: (any StateSink)? { if case .saving(let sink) = purpose { sink } else { nil } }

  private var source: (any StateSource)? {
    switch purpose {
    case .comparing(let source), .restoring(let source): source
    case .counting, .judging, .saving: nil
    }
  }

  /// The name with those of all that it is in.
  func place(_ name: String) -> String { (path + [name]).joined(separator: "/") }

  /// The names that what is visited now is in.
  var placeOfParts: String { path.isEmpty ? "state" : path.joined(separator: "/") }

  /// Visits what is inside of a name.
  func enter(_ name: String, _ body: () throws -> Void) rethrows {
    path.append(name)
    defer { path.removeLast() }
    try body()
  }

  func save(_ object: some State) throws { try object.visit(self) }

  /// Restores an object, whole or not at all.
  static func restore(_ object: some State, from source: any StateSource) throws {
    let comparing = StateVisitor(.comparing(source))
    try object.visit(comparing)
    if let left = source.entries.first(where: { !comparing.seen.contains($0.name) }) {
      throw StateError(left.name, expected: "nothing of that name", found: "a \(left)")
    }
    try object.visit(StateVisitor(.restoring(source)))
  }

  // MARK: Entries

  private func take(_ name: String) throws -> String {
    let place = place(name)
    guard seen.insert(place).inserted else {
      throw StateError(place, expected: "a name of its own", found: "two of that name")
    }
    return place
  }

  /// Saves an entry, in a visit that saves.
  func save(
    _ name: String, _ kind: StateEntry.Kind, _ element: StateEntry.Element, shape: [Int], _ memory: StateMemory
  ) throws {
    guard let sink else { return }
    try sink.begin(StateEntry(try take(name), kind, element, shape: shape, bytes: memory.bytes))
    for row in 0..<memory.rows { try sink.write(UnsafeRawBufferPointer(memory.row(row))) }
  }

  /// Finds an entry, in a visit that compares or restores.
  /// - Parameters:
  ///   - expected: the shape in words; `fits`: whether a shape with so many bytes is one.
  /// - Throws: ``StateError`` where there is none, or one of another kind, precision or shape.
  func find(
    _ name: String, _ kind: StateEntry.Kind, _ element: StateEntry.Element, expected: @autoclosure () -> [String],
    fits: (_ shape: [Int]) -> Bool
  ) throws -> SavedEntry? {
    guard let source else { return nil }
    let place = try take(name)
    let index = places[place]
    if let index, case let entry = source.entries[index], entry.kind == kind, entry.element == element,
      fits(entry.shape)
    {
      return SavedEntry(source: source, index: index, entry: entry)
    }
    throw StateError(
      place, expected: "a \(StateEntry.describe(kind, element, expected()))",
      found: index.map { "a \(source.entries[$0])" } ?? "nothing of that name")
  }
}

/// An entry with where its bytes are.
struct SavedEntry {
  let source: any StateSource
  let index: Int
  let entry: StateEntry

  var place: String { entry.name }

  func require(bytes: Int) throws {
    guard bytes == entry.bytes else { throw StateError(place, expected: "\(bytes) bytes", found: "\(entry.bytes)") }
  }

  func read(into memory: StateMemory) throws {
    try require(bytes: memory.bytes)
    for row in 0..<memory.rows {
      try source.read(index, from: row * memory.rowBytes, into: memory.row(row))
    }
  }

  /// All elements as numbers; the entry is of their type, and `count` of them.
  func numbers<Number: StateNumber>(_: Number.Type, count: Int) throws -> [Number] {
    try require(bytes: count * MemoryLayout<Number>.stride)
    var numbers = Array(repeating: Number(), count: count)
    try numbers.withUnsafeMutableBytes { try read(into: StateMemory($0)) }
    return numbers
  }
}

extension StateMemory {
  /// (of nothing there may be no address)
  init(_ buffer: UnsafeMutableRawBufferPointer) {
    self.init(buffer.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 64)!, bytes: buffer.count)
  }
}
