import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// NumPy's files that cannot be read: each names the file, what was expected there and what was found.
@Suite struct NPYRefusalTests {
  let file = TemporaryFile()

  static let good = NPYFile.bytes(
    header: NPYFile.header("<f4", shape: [2, 3]),
    elements: NPYFile.elements([1, 2, 3, 4, 5, 6], "<f4", shape: [2, 3]))

  func error() -> DataError? { failure(of: { _ = try NPYArray(path: file.path) }) as? DataError }

  /// Bytes of a file, and words of the message.
  static let damages: [(String, [UInt8], [String])] = [
    ("empty", [], ["an NPY file", "8 bytes", "found 0 bytes"]),
    ("magic cut short", Array(good.prefix(5)), ["8 bytes", "found 5 bytes"]),
    (
      "text", Array("<html>not found".utf8),
      ["first bytes 93 4e 55 4d 50 59", "3c 68 74 6d 6c 3e, an HTML or XML page"]
    ),
    ("archive", Array("PK\u{3}\u{4}\0\0\0\0".utf8), ["50 4b 03 04 00 00", "a ZIP archive (as NPZ files are)"]),
    ("gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], ["first bytes 1f 8b", "gzip data"]),
    ("numbers as text", Array("1.5 2 3\n4 5 6\n".utf8), ["first bytes 31 2e", "text"]),
    ("version 4", good.prefix(6) + [4] + good.dropFirst(7), ["1.0, 2.0 or 3.0", "version 4.0"]),
    ("version 1.1", good.prefix(7) + [1] + good.dropFirst(8), ["1.0, 2.0 or 3.0", "version 1.1"]),
    ("length cut short", Array(good.prefix(9)), ["2 bytes of header length", "only 1"]),
    ("header cut short", Array(good.prefix(20)), ["bytes of header", "only 10"]),
    ("elements cut short", good.dropLast(), ["24 bytes of elements", "(2, 3) of float32", "only 23"]),
    ("too long", good + [0, 0], ["24 bytes of elements", "found 26"]),
    (
      "header longer than any file", [0x93] + Array("NUMPY".utf8) + [2, 0, 0xff, 0xff, 0xff, 0xff, 0x7b],
      ["4294967295 bytes of header", "only 1"]
    ),
    (
      "a header that says nothing",
      NPYFile.bytes(header: String(repeating: " ", count: 70_000), version: 2, elements: []), ["65535", "70001"]
    ),
  ]

  @Test(arguments: damages.indices)
  func damaged(index: Int) throws {
    defer { file.remove() }
    let (what, bytes, words) = Self.damages[index]
    try file.write(bytes)
    try check(what, words)
  }

  func check(_ what: String, _ words: [String]) throws {
    let text = error()?.description ?? "no error"
    #expect(text.hasPrefix(file.path + ": expected "), "\(what): \(text)")
    for word in words { #expect(text.contains(word), "\(what): \(text)") }
  }

  /// Headers, and words of the message. Behind each are 24 bytes.
  static let headers: [(String, [String])] = [
    ("", ["a value at byte 1 of the header", "found the end"]),
    ("descr", ["a value at byte 0", "descr"]), ("{'descr': '<f4'", ["a comma or }", "the end"]),
    ("{'descr' '<f4'}", ["a colon at byte 9"]), ("{descr: '<f4'}", ["a string at byte 1"]),
    ("{'descr': '<f4\n'}", ["a string that ends at byte 10"]), ("{,}", ["a string at byte 1"]),
    ("{} {}", ["the end at byte 3"]), ("{'shape': (2, 3]}", ["a comma or )"]), ("{'shape': (02,)}", ["a whole number"]),
    ("{'shape': (-,)}", ["a whole number"]), ("{'shape': (2 3)}", ["a comma or )"]),
    ("{'shape': (2l,)}", ["a comma or )"]), ("{'shape': (L,)}", ["a value"]), ("{b'shape': 1}", ["a string at byte 1"]),
    ("{'shape': (99999999999999999999,)}", ["at most 64 bits", "9999"]),
    (String(repeating: "[", count: 60_000), ["no more than 64 brackets"]), ("[1, 2]", ["a dictionary", "[1, 2]"]),
    ("{}", ["the keys descr, fortran_order and shape", "none"]),
    ("{'descr': '<f4', 'shape': (2, 3)}", ["the keys descr", "[\"descr\", \"shape\"]"]),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", ["the keys descr", "\"more\""]),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", ["the keys descr"]),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", ["True or False as fortran_order", "found 0"]),
    ("{'descr': 4, 'fortran_order': False, 'shape': (2, 3)}", ["float32 or float64", "found 4"]),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': 6}", ["a tuple of sizes", "found 6"]),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3]}", ["a tuple of sizes", "found [2, 3]"]),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': ('2', True)}", ["a tuple of sizes", "(\"2\", True)"]),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}", ["not negative", "(-2, -3)"]),
    (NPYFile.header("<f4", shape: Array(repeating: 1, count: 33)), ["at most 32 dimensions", "found 33"]),
    (NPYFile.header("<f4", shape: [1 << 40, 1 << 40]), ["can be addressed", "(1099511627776, 1099511627776)"]),
    (NPYFile.header("<f4", shape: [0, 1 << 40, 1 << 40]), ["can be addressed"]),
    (NPYFile.header("<f8", shape: [Int.max / 4]), ["can be addressed"]),
    (NPYFile.header("<f8", shape: [1 << 50]), ["9007199254740992 bytes", "only 24"]),
    (NPYFile.header("<f4", shape: [2, 2]), ["16 bytes", "found 24"]),
    (NPYFile.header("<f4", shape: [0]), ["0 bytes", "(0,)", "found 24"]),
  ]

  @Test(arguments: headers.indices)
  func header(index: Int) throws {
    defer { file.remove() }
    let (header, words) = Self.headers[index]
    for version: UInt8 in 1...3 {
      try file.write(NPYFile.bytes(header: header, version: version, elements: Array(repeating: 0, count: 24)))
      try check("\(header.prefix(80)), version \(version)", words)
    }
  }

  @Test(arguments: [
    ("'<i16'", "\"<i16\" (integers of another size)"), ("'|b1'", "(booleans)"), ("'?'", "(booleans)"),
    ("'<f16'", "floats of another size"), ("'<float32'", "floats of another size"), ("'Float64'", "\"Float64\""),
    ("'<\\f4'", "\"<\\\\f4\""), ("'f4,f4'", "floats of another size"), ("' f4'", "\" f4\""),
    ("'<c16'", "\"<c16\" (complex numbers)"), ("'|O'", "\"|O\" (Python objects)"),
    ("'<U5'", "(text)"), ("'|S3'", "(bytes)"), ("'<M8[ns]'", "(dates)"), ("'|V8'", "(raw bytes)"), ("''", "found \"\""),
    ("'<'", "\"<\""), ("'<f44'", "\"<f44\""), ("'\\x1b[2J'", "[2J"),
    ("[('x', '<f4'), ('y', '<f8', (2,))]", "a structured dtype, [(\"x\", \"<f4\")"),
  ])
  func otherTypes(descr: String, words: String) throws {
    defer { file.remove() }
    let header = "{'descr': \(descr), 'fortran_order': False, 'shape': (3,), }"
    try file.write(NPYFile.bytes(header: header, elements: Array(repeating: 0, count: 24)))
    try check(descr, ["expected dtype float32 or float64 (or float16, or integers)", words])
  }

  @Test(arguments: ["<f4", ">f8"], [Double.nan, .infinity, -.infinity])
  func notFinite(descr: String, number: Double) throws {
    defer { file.remove() }
    var numbers = NPYTests.numbers([2, 3, 4])
    (numbers[17], numbers[22]) = (number, number)
    for fortran in [false, true] {
      let elements = NPYFile.elements(numbers, descr, fortran: fortran, shape: [2, 3, 4])
      try file.write(
        NPYFile.bytes(header: NPYFile.header(descr, fortran: fortran, shape: [2, 3, 4]), elements: elements))
      #expect(error() == DataError(file.path, expected: "finite numbers", found: "\(number) at index (1, 1, 1)"))
    }
    let array = NPYArray(shape: [1], elements: .float64([number]))
    file.remove()
    let refused = failure(of: { try array.write(to: file.path) }) as? DataError
    #expect(refused == DataError(file.path, expected: "finite numbers", found: "\(number) at index (0,)"))
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }

  @Test func rank() throws {
    defer { file.remove() }
    try file.write(Self.good)
    let error = failure(of: { _ = try NPYArray(path: file.path, rank: 1) }) as? DataError
    #expect(error == DataError(file.path, expected: "1 dimension", found: "2: (2, 3)"))
    let cube = NPYArray(shape: [2, 3, 4], elements: .float32(Array(repeating: 1, count: 24)), place: "cube")
    let matrix = failure(of: { _ = try Matrix<Float>(npy: cube) }) as? DataError
    #expect(matrix?.description == "cube: expected 2 dimensions, found 3: (2, 3, 4)")
  }

  @Test func matrices() throws {
    let large = NPYArray(shape: [2, 2], elements: .float64([0, 1, 1e39, 2]))
    let single = failure(of: { _ = try Matrix<Float>(npy: large) }) as? DataError
    #expect(single?.found == "1e+39, too large for float32, at index (1, 0)")
    let rounded = try Matrix<Double>(npy: large)[1, 0]
    #expect(rounded == 1e39)
    let infinite = NPYArray(shape: [1, 2], elements: .float32([0, -.infinity]))
    let double = failure(of: { _ = try Matrix<Double>(npy: infinite) }) as? DataError
    #expect(double == DataError("array", expected: "finite numbers", found: "-inf at index (0, 1)"))
    // (a matrix of as many rows as a file cares to say, all of them empty, takes no time)
    let empty = try Matrix<Float>(npy: NPYArray(shape: [Int.max, 0], elements: .float32([])))
    let shape = NPYArray(empty).shape
    #expect(shape == [Int.max, 0])
    let wide = failure(of: { _ = try Matrix<Float>(npy: NPYArray(shape: [0, Int.max], elements: .float32([]))) })
    #expect((wide as? DataError)?.expected == "a matrix that can be addressed")
  }

  @Test func files() throws {
    #expect(error()?.found == "No such file or directory")
    #expect(throws: DataError("\"\"", expected: "a file name", found: "an empty one")) { try NPYArray(path: "") }
    #expect(throws: DataError("/tmp", expected: "a file", found: "a folder")) { try NPYArray(path: "/tmp") }
    #expect(throws: DataError("/dev/null", expected: "a file", found: "a pipe or a device")) {
      try NPYArray(path: "/dev/null")
    }
    mkfifo(file.path, 0o600)
    #expect(error()?.found == "a pipe or a device")
    file.remove()
    if getuid() != 0 {
      try file.write(Self.good)
      chmod(file.path, 0)
      #expect(error()?.found == "Permission denied")
      file.remove()
    }
    let array = NPYArray(shape: [1], elements: .float32([1]))
    #expect(throws: OutputError("/tmp", expected: "a file name", found: "a folder", cause: .unusablePath)) {
      try array.write(to: "/tmp")
    }
    #if os(Linux)
      #expect(throws: OutputError.self) { try array.write(to: "/dev/full") }
    #endif
  }

  /// A file as large as its header says, which no memory holds.
  @Test func tooLarge() throws {
    defer { file.remove() }
    let header = NPYFile.bytes(header: NPYFile.header("<f8", shape: [1 << 42]), elements: [])
    try file.write(header)
    // (there is nothing in it; where files cannot be so large, there is nothing to test)
    guard truncate(file.path, off_t(header.count + 1 << 45)) == 0 else { return }
    try check("a file of 32 TiB", ["expected no more than fits the memory", "35184372088832 bytes"])
  }

  @Test func everyPrefix() throws {
    defer { file.remove() }
    for count in 0..<Self.good.count {
      try file.write(Array(Self.good.prefix(count)))
      #expect(error()?.place == file.path, "\(count) bytes")
    }
  }

  /// Whatever a byte is changed to, the file is read or refused.
  @Test func mutations() throws {
    defer { file.remove() }
    var generator = SplitMix64(seed: 7)
    var refused = 0
    for round in 0..<4000 {
      var bytes = Self.good
      // Every other change is to the header, where most can go wrong.
      let index = Int(generator.next() % UInt64(round % 2 == 0 ? bytes.count : bytes.count - 24))
      bytes[index] = UInt8(truncatingIfNeeded: generator.next())
      try file.write(bytes)
      do {
        let array = try NPYArray(path: file.path)
        #expect(array.count == array.shape.reduce(1, *))
      } catch {
        refused += 1
        #expect(error.place == file.path)
      }
    }
    #expect(refused > 1000)
  }
}
