extension CheckpointFile {
  /// Writes all that an object holds. A visit before says what there is, so that no copy of it is made in memory.
  ///
  /// - Parameter notes: texts by name, such as the step.
  /// - Throws: ``StateError`` where a part of it cannot be saved; ``OutputError`` where the file cannot be written. An older
  ///   file of that name then stays.
  public static func write(_ object: some State, notes: [String: String] = [:], to path: String) throws {
    var header = CheckpointHeader()
    (header.notes, header.entries) = (notes, try StateTable(of: object).entries)
    let start = header.bytes
    guard start.count - CheckpointHeader.start <= CheckpointHeader.maximumLength else {
      throw StateError(
        path, expected: "names and notes of at most \(CheckpointHeader.maximumLength) bytes", found: "\(start.count)")
    }
    try WholeFile.write(to: path) { file in
      let sink = CheckpointSink(file, entries: header.entries)
      try sink.put(start)
      try StateVisitor(.saving(sink)).save(object)
      try sink.finish()
    }
  }
}

/// Writes entries behind a header, each with its checksum.
private final class CheckpointSink: StateSink {
  private let file: WholeFile
  private let entries: [StateEntry]
  private var next = 0
  /// Of the entry that is being written.
  private var sum = Checksum()
  /// Bytes that it still lacks.
  private var left = 0
  private var buffer: [UInt8] = []

  /// (rows of matrices are short, and each call of the system takes its time)
  private static var pieces: Int { 1 << 18 }

  init(_ file: WholeFile, entries: [StateEntry]) { (self.file, self.entries) = (file, entries) }

  func begin(_ entry: StateEntry) throws {
    demand(next < entries.count && entries[next] == entry, "\(entry.name): two visits that show different things")
    (left, sum) = (entry.bytes, Checksum())
    next += 1
    if left == 0 { try end() }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard !bytes.isEmpty else { return }
    if isLittleEndianMachine {
      sum.add(bytes)
      if bytes.count < Self.pieces {
        try put(bytes)
      } else {
        // (what is large is not copied)
        try flush()
        try file.write(bytes)
      }
    } else {
      var swapped = Array(bytes)
      swapped.withUnsafeMutableBytes { toLittleEndian($0, width: entries[next - 1].element.width) }
      swapped.withUnsafeBytes { sum.add($0) }
      try put(swapped)
    }
    left -= bytes.count
    if left == 0 { try end() }
  }

  private func end() throws {
    var bytes: [UInt8] = []
    bytes.append(Int(sum.value), width: CheckpointHeader.checksum)
    try put(bytes)
  }

  func put(_ bytes: some Sequence<UInt8>) throws {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.pieces { try flush() }
  }

  private func flush() throws {
    try buffer.withUnsafeBytes { try file.write($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  func finish() throws {
    demand(next == entries.count && left == 0, "two visits that show different things")
    try flush()
  }
}
