/// What an NPY file says before its elements: the magic "\x93NUMPY", the version in 2 bytes, the length of the header as
/// a little-endian number (2 bytes in version 1.0, 4 bytes in 2.0 and 3.0), and the header, a Python dictionary such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` with spaces and a line end behind it.
struct NPYHeader {
  var type = NPYType.float32
  var isBigEndian = false
  var isFortranOrder = false
  var shape: [Int] = []
  /// Bytes before the first element, in the file that this was read from.
  private(set) var length = 0

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Far more than `maximumRank` sizes take. (NumPy itself reads no more than 10000.)
  static let maximumLength = 65535
  static let maximumRank = 32

  init(isDouble: Bool, shape: [Int]) { self.init(type: isDouble ? .float64 : .float32, shape: shape) }

  init(type: NPYType, shape: [Int]) { (self.type, self.shape) = (type, shape) }

  /// Reads the file up to its first element.
  init(file: borrowing SizedFile) throws(DataError) {
    let path = file.path
    let start = try file.read(Self.magic.count + 2)
    guard start.count == Self.magic.count + 2 else {
      throw DataError(path, expected: "an NPY file (magic and version of 8 bytes)", found: "\(start.count) bytes")
    }
    guard start.starts(with: Self.magic) else {
      let kind = kindOfFile(startingWith: start + (try file.read(56))).map { ", \($0)" } ?? ""
      throw DataError(
        path, expected: "an NPY file (first bytes \(hex(Self.magic)))",
        found: "first bytes \(hex(start.prefix(6)))\(kind)")
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw DataError(path, expected: "NPY version 1.0, 2.0 or 3.0", found: "version \(start[6]).\(start[7])")
    }
    let width = start[6] == 1 ? 2 : 4
    let lengthBytes = try file.read(width)
    guard lengthBytes.count == width else {
      throw DataError(path, expected: "\(width) bytes of header length", found: "only \(lengthBytes.count)")
    }
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    let rest = file.size - start.count - width
    guard length <= rest else {
      throw DataError(path, expected: "\(length) bytes of header", found: "only \(max(0, rest))")
    }
    guard length <= Self.maximumLength else {
      throw DataError(path, expected: "a header of at most \(Self.maximumLength) bytes", found: "\(length)")
    }
    let text = try file.read(length)
    guard text.count == length else {
      throw DataError(path, expected: "\(length) bytes of header", found: "only \(text.count)")
    }
    try self.init(parsing: text, path: path)
    self.length = start.count + width + length
  }

  private init(parsing text: [UInt8], path: String) throws(DataError) {
    let literal: PythonLiteral
    do {
      literal = try PythonLiteral(parsing: text)
    } catch {
      throw DataError(path, expected: "\(error.expected) at byte \(error.offset) of the header", found: error.found)
    }
    guard case .dictionary(let pairs) = literal else {
      throw DataError(path, expected: "a dictionary as the header", found: short(literal))
    }
    guard pairs.map(\.key).sorted() == ["descr", "fortran_order", "shape"] else {
      let keys = pairs.isEmpty ? "none" : short(.list(pairs.map { .string($0.key) }))
      throw DataError(path, expected: "the keys descr, fortran_order and shape in the header", found: keys)
    }
    for (key, value) in pairs {
      switch key {
      case "descr": (type, isBigEndian) = try Self.type(value, path: path)
      case "shape": shape = try Self.shape(value, path: path)
      default:
        guard case .bool(let bool) = value else {
          throw DataError(path, expected: "True or False as fortran_order", found: short(value))
        }
        isFortranOrder = bool
      }
    }
  }

  private static func type(_ value: PythonLiteral, path: String) throws(DataError) -> (NPYType, isBigEndian: Bool) {
    let expected = "dtype float32 or float64 (or float16, or integers)"
    guard case .string(let name) = value else {
      var found = short(value)
      if case .list = value { found = "a structured dtype, \(found)" }
      throw DataError(path, expected: expected, found: found)
    }
    if let known = NPYType.named(name) { return known }
    let kind = name.first.map("<>=|".contains) ?? false ? name.dropFirst() : name[...]
    let what = kind.first.flatMap { NPYType.others[$0] }.map { " (\($0))" } ?? ""
    throw DataError(path, expected: expected, found: short(value) + what)
  }

  private static func shape(_ value: PythonLiteral, path: String) throws(DataError) -> [Int] {
    guard case .tuple(let values) = value else {
      throw DataError(path, expected: "a tuple of sizes as shape", found: short(value))
    }
    guard values.count <= maximumRank else {
      throw DataError(path, expected: "at most \(maximumRank) dimensions", found: "\(values.count)")
    }
    var sizes: [Int] = []
    for case .integer(let size) in values { sizes.append(size) }
    guard sizes.count == values.count else {
      throw DataError(path, expected: "a tuple of sizes as shape", found: short(value))
    }
    guard sizes.allSatisfy({ $0 >= 0 }) else {
      throw DataError(path, expected: "sizes that are not negative", found: "shape \(NPYArray.tuple(sizes))")
    }
    return sizes
  }
}

let isLittleEndianMachine = 1.littleEndian == 1

/// (a file can hold as much as it likes, a message not)
private func short(_ value: PythonLiteral) -> String {
  let text = value.description
  return text.count > 100 ? text.prefix(100) + "…" : text
}

private func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
