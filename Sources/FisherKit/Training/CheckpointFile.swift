/// All that an object held, in a file that is there whole or not at all: named entries with their kinds, precisions and
/// shapes, bit by bit, and a checksum of each. See `CheckpointHeader` for its bytes.
///
///     try CheckpointFile.write(trainer, to: "run.checkpoint")
///     ...
///     try CheckpointFile(path: "run.checkpoint").restore(trainer)
public final class CheckpointFile: StateSource {
  public let path: String
  /// Of the FisherKit that wrote it.
  public let version: String
  public let notes: [String: String]
  public let entries: [StateEntry]
  /// Where the elements of each are.
  private let starts: [Int]
  private let file: SizedFile

  /// Opens a file, after all of it was found to be as it was written.
  /// - Throws: what it is instead: cut short, of another kind or a newer version, or with which entry damaged.
  public convenience init(path: String) throws(DataError) {
    try self.init(header: path)
    try requireUndamaged()
  }

  /// Opens a file of which the header is to be read alone.
  init(header path: String) throws(DataError) {
    let file = try SizedFile(path: path)
    let header = try CheckpointHeader(file: file)
    self.path = path
    (version, notes, entries) = (header.version, header.notes, header.entries)
    var (starts, end): ([Int], Int) = ([], file.size)
    for entry in header.entries.reversed() {
      end -= entry.bytes + CheckpointHeader.checksum
      starts.append(end)
    }
    self.starts = starts.reversed()
    self.file = file
  }

  /// Whether a file begins as one of this format does.
  package static func isOne(path: String) throws(DataError) -> Bool {
    try SizedFile(path: path).read(CheckpointHeader.magic.count) == CheckpointHeader.magic
  }

  private func requireUndamaged() throws(DataError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    for (index, entry) in entries.enumerated() {
      var (sum, done) = (Checksum(), 0)
      while done < entry.bytes {
        let count = min(buffer.count, entry.bytes - done)
        try fill(&buffer, count, at: starts[index] + done, entry)
        buffer.withUnsafeBytes { sum.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        done += count
      }
      try fill(&buffer, CheckpointHeader.checksum, at: starts[index] + done, entry)
      guard littleEndian(buffer.prefix(CheckpointHeader.checksum)) == Int(sum.value) else {
        throw DataError(
          path, expected: "\(shortText(entry.name)) as it was written",
          found: "damaged elements (their checksum is another)")
      }
    }
  }

  private func fill(_ buffer: inout [UInt8], _ count: Int, at offset: Int, _ entry: StateEntry) throws(DataError) {
    try buffer.withUnsafeMutableBytes { buffer in
      Result { () throws(DataError) in
        try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset, entry)
      }
    }.get()
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ entry: StateEntry) throws(DataError) {
    guard try file.read(into: buffer, at: offset) == buffer.count else {
      throw DataError(
        path, expected: "the elements of \(shortText(entry.name))", found: "a file that was cut short meanwhile")
    }
  }

  /// Makes the object what the saved one was, bit by bit; where the state does not fit it, it stays as it is.
  /// - Throws: ``DataError`` that says which entry does not fit.
  public func restore(_ object: some State) throws {
    do {
      try StateVisitor.restore(object, from: self)
    } catch let error as StateError {
      throw DataError("\(path): \(shortText(error.place))", expected: error.expected, found: error.found)
    }
  }

  func read(_ entry: Int, from offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    try fill(buffer, at: starts[entry] + offset, entries[entry])
    toLittleEndian(buffer, width: entries[entry].element.width)
  }
}

/// Turns the bytes of each element round where the machine has them in the other order than a file.
func toLittleEndian(_ bytes: UnsafeMutableRawBufferPointer, width: Int) {
  guard !isLittleEndianMachine, width > 1 else { return }
  for start in stride(from: 0, to: bytes.count, by: width) { bytes[start..<start + width].reverse() }
}
