/// What a checkpoint says before its elements. All numbers are little-endian:
///
///     8 bytes   0x89 "FKCKP" CR LF
///     4         the format, 1
///     8         b, the bytes of what follows
///     b         the version of FisherKit; the number of notes, and of each its key and its text; the number of entries, and
///               of each its name, kind, type of elements, number of sizes, sizes, and bytes
///     4         CRC-32 of all that
///
/// Counts and lengths of texts are of 4 bytes, sizes and bytes of 8, kinds, types and numbers of sizes of 1. Behind the
/// header are the entries' elements, each with their CRC-32 behind them, and nothing else.
struct CheckpointHeader: Equatable {
  static let magic: [UInt8] = [0x89, 0x46, 0x4b, 0x43, 0x4b, 0x50, 0x0d, 0x0a]
  static let newestFormat = 1
  static let start = 20
  /// Some 100,000 entries; a header is read before it is known to be one.
  static let maximumLength = 1 << 24
  static let checksum = 4

  var version = FisherKitVersion.current
  var notes: [String: String] = [:]
  var entries: [StateEntry] = []

  /// The file up to its first element.
  var bytes: [UInt8] {
    var body: [UInt8] = []
    body.append(text: version)
    body.append(notes.count, width: 4)
    for (key, text) in notes.sorted(by: { $0.key < $1.key }) {
      body.append(text: key)
      body.append(text: text)
    }
    body.append(entries.count, width: 4)
    for entry in entries {
      body.append(text: entry.name)
      body += [entry.kind.rawValue, entry.element.rawValue, UInt8(entry.shape.count)]
      for size in entry.shape { body.append(size, width: 8) }
      body.append(entry.bytes, width: 8)
    }
    return Self.wrap(body)
  }

  /// A header of this body, whatever is in it.
  static func wrap(_ body: [UInt8], format: Int = newestFormat) -> [UInt8] {
    var bytes = magic
    bytes.append(format, width: 4)
    bytes.append(body.count, width: 8)
    bytes += body
    bytes.append(Int(Checksum(bytes).value), width: checksum)
    return bytes
  }
}

extension [UInt8] {
  mutating func append(_ number: Int, width: Int) {
    for k in 0..<width { append(UInt8(truncatingIfNeeded: number >> (8 * k))) }
  }

  fileprivate mutating func append(text: String) {
    let characters = Array(text.utf8)
    append(characters.count, width: 4)
    self += characters
  }
}

extension CheckpointHeader {
  /// Reads a file up to its first element.
  init(file: borrowing SizedFile) throws(DataError) {
    let path = file.path
    let start = try file.read(Self.start)
    guard start.starts(with: Self.magic) else {
      let kind = kindOfFile(startingWith: start) ?? (start.isEmpty ? "an empty file" : "other data")
      throw DataError(path, expected: "a checkpoint of FisherKit", found: kind)
    }
    guard start.count == Self.start else {
      throw DataError(path, expected: "a header of \(Self.start) bytes at least", found: "only \(start.count)")
    }
    let format = littleEndian(start[8..<12])
    guard format == Self.newestFormat else {
      throw DataError(
        path, expected: "a checkpoint of format \(Self.newestFormat)",
        found: "format \(format)\(format > Self.newestFormat ? ", of a newer version of FisherKit" : "")")
    }
    let (length, rest) = (littleEndian(start[12..<20]), max(0, file.size - Self.start))
    guard length >= 0, length <= Self.maximumLength else {
      throw DataError(path, expected: "a header of at most \(Self.maximumLength) bytes", found: "\(length)")
    }
    let wanted = length + Self.checksum
    let body = wanted <= rest ? try file.read(wanted) : []
    guard body.count == wanted else {
      throw DataError(path, expected: "\(wanted) bytes of header", found: "only \(min(rest, wanted))")
    }
    let sum = Checksum(start + body.dropLast(Self.checksum)).value
    guard littleEndian(body.suffix(Self.checksum)) == Int(sum) else {
      throw DataError(path, expected: "the header as it was written", found: "a damaged one (its checksum is another)")
    }
    var parser = CheckpointParser(body.dropLast(Self.checksum))
    guard let header = parser.header() else {
      throw DataError(path, expected: "a header of whole entries", found: "something else at its byte \(parser.offset)")
    }
    self = header
    try requirePlaces(elements: rest - wanted, path: path)
  }

  private func requirePlaces(elements: Int, path: String) throws(DataError) {
    var (names, sum): (Set<String>, Int) = ([], 0)
    for entry in entries {
      guard names.insert(entry.name).inserted else {
        throw DataError(path, expected: "a name of its own for each entry", found: "two of \(shortText(entry.name))")
      }
      let (end, overflow) = sum.addingReportingOverflow(entry.bytes)
      guard !overflow, end <= elements - Self.checksum else {
        throw DataError(
          path, expected: "\(entry.bytes) bytes of \(shortText(entry.name))",
          found: "only \(max(0, elements - sum - Self.checksum))")
      }
      sum = end + Self.checksum
    }
    guard sum == elements else {
      throw DataError(path, expected: "\(sum) bytes of elements", found: "\(elements)")
    }
  }
}

/// (a number of 8 bytes that no `Int` holds is a negative one)
func littleEndian(_ bytes: some BidirectionalCollection<UInt8>) -> Int {
  Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
}
