/// Everything that an object held at a moment, in memory.
///
///     let saved = try SavedState(of: optimizer)
///     ...
///     try saved.restore(optimizer)                  // or another one that was made the same way
public final class SavedState: StateSource, StateSink {
  public private(set) var entries: [StateEntry] = []
  private var contents: [UInt8] = []
  private var starts: [Int] = []

  /// - Throws: ``StateError`` where a part of it cannot be saved, or has the name of another.
  public init(of object: some State) throws { try StateVisitor(.saving(self)).save(object) }

  /// Makes the object what the saved one was, bit by bit; or leaves it as it is.
  /// - Throws: ``StateError`` where it does not fit: a name that is missing, another kind, precision or shape, or something
  ///   left over.
  public func restore(_ object: some State) throws { try StateVisitor.restore(object, from: self) }

  public var bytes: Int { contents.count }

  func begin(_ entry: StateEntry) {
    entries.append(entry)
    starts.append(contents.count)
  }

  func write(_ bytes: UnsafeRawBufferPointer) { contents.append(contentsOf: bytes) }

  func read(_ entry: Int, from offset: Int, into buffer: UnsafeMutableRawBufferPointer) {
    let start = starts[entry] + offset
    contents.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + buffer.count]))
    }
  }
}

extension SavedState: Equatable {
  /// Whether both are of the same names, shapes and bits.
  public static func == (a: SavedState, b: SavedState) -> Bool { a.entries == b.entries && a.contents == b.contents }
}
