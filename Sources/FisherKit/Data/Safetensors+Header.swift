/// What a safetensors file says before its elements, held to the rules of the reference implementation: elements lie one
/// behind the other without gap or overlap, from the first byte behind the header to the last of the file.
struct SafetensorsHeader {
  /// The types of elements that the format has, in the header's words.
  enum ElementType: String, CaseIterable {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case f8e5m2 = "F8_E5M2"
    case f8e4m3 = "F8_E4M3"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"
    case c64 = "C64"

    /// Bytes of an element.
    var width: Int {
      switch self {
      case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
      case .i16, .u16, .f16, .bf16: 2
      case .i32, .u32, .f32: 4
      case .f64, .i64, .u64, .c64: 8
      }
    }
  }

  struct Entry {
    var name: String
    var type: ElementType
    var shape: [Int]
    /// Of its bytes, from the first behind the header.
    var start: Int
    var end: Int

    var count: Int { (end - start) / type.width }
  }

  var metadata: [String: String] = [:]
  /// In the order of their places.
  var entries: [Entry] = []

  static let metadataKey = "__metadata__"
  /// As in the reference implementation.
  static let maximumLength = 100_000_000

  /// Reads the file up to its first element.
  init(file: borrowing SizedFile) throws(DataError) {
    let path = file.path
    let start = try file.read(8)
    guard start.count == 8 else {
      throw DataError(
        path, expected: "a safetensors file (a header's length in 8 bytes)", found: "\(start.count) bytes")
    }
    let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let rest = max(0, file.size - 8)
    guard length <= Self.maximumLength else {
      let kind = kindOfFile(startingWith: start + (try file.read(56))).map { ", \($0)" } ?? ""
      throw DataError(
        path, expected: "a safetensors file (a header of at most \(Self.maximumLength) bytes)",
        found: "\(length)\(kind)")
    }
    guard length <= rest else {
      throw DataError(path, expected: "\(length) bytes of header", found: "only \(rest)")
    }
    let text = try file.read(Int(length))
    guard text.count == length else {
      throw DataError(path, expected: "\(length) bytes of header", found: "only \(text.count)")
    }
    do {
      (metadata, entries) = try SafetensorsParser.parse(text)
    } catch {
      throw DataError(path, expected: "\(error.expected) at byte \(error.offset) of the header", found: error.found)
    }
    entries.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    try requirePlaces(elements: file.size - 8 - text.count, path: path)
  }

  /// - Parameter elements: the bytes that there are behind the header.
  private func requirePlaces(elements: Int, path: String) throws(DataError) {
    var next = 0
    for entry in entries {
      let name = shortText(entry.name)
      guard entry.start == next, entry.end >= entry.start else {
        throw DataError(
          path, expected: "\(name) from byte \(next), where the one before ends",
          found: "\(entry.start) to \(entry.end)")
      }
      let size = elementCount(entry.shape)?.multipliedReportingOverflow(by: entry.type.width)
      guard let size, !size.overflow else {
        throw DataError(
          path, expected: "sizes that can be addressed", found: "shape \(NPYArray.tuple(entry.shape)) of \(name)")
      }
      guard size.partialValue == entry.end - entry.start else {
        throw DataError(
          path,
          expected:
            "\(size.partialValue) bytes of \(name) (shape \(NPYArray.tuple(entry.shape)) of \(entry.type.rawValue))",
          found: "\(entry.end - entry.start)")
      }
      next = entry.end
    }
    guard next == elements else {
      throw DataError(
        path, expected: "\(next) bytes of elements", found: elements < next ? "only \(elements)" : "\(elements)")
    }
  }

  /// - Throws: where the elements are more than the memory holds. (Linux grants more than there is, and kills the process
  ///   that uses it.)
  func requireRoom(path: String) throws(DataError) {
    // (a file without contents can be said to be so large that twice its size is no number)
    let needed = entries.reduce(0.0) { $0 + Double($1.end - $1.start) * ($1.type.width == 2 ? 2 : 1) }
    guard needed < 0x1p26 || availableMemory().map({ needed <= Double($0) }) ?? true else {
      throw DataError(path, expected: "no more than fits the memory", found: "\(Int(needed / 1e6)) MB of elements")
    }
  }
}

/// (a file can hold as much as it likes, a message not)
func shortText(_ text: String, _ most: Int = 60) -> String { text.count > most ? text.prefix(most) + "…" : text }
