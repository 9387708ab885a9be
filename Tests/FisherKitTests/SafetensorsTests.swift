import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Files in the safetensors format: read, written, and refused as the reference implementation does.
@Suite struct SafetensorsTests {
  let file = TemporaryFile()

  @Test func roundTrip() throws {
    defer { file.remove() }
    let tensors: [Safetensors.Tensor] = [
      .init(name: "b", shape: [2, 3], elements: .float32([1, -2.5, 0, -0.0, .leastNonzeroMagnitude, 3e38])),
      .init(name: "a\"\\\u{1}é", shape: [], elements: .float64([.pi])),
      .init(name: "", shape: [0, 4], elements: .float32([])),
      .init(name: "c", shape: [1, 1, 2], elements: .float64([1e-300, -1e300])),
    ]
    let before = Safetensors(tensors: tensors, metadata: ["k": "line\nof \"text\"", "": "/\u{1F600}"])
    try before.write(to: file.path)
    #expect(try Safetensors(path: file.path) == before)
    let bytes = try file.read()
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0 && bytes[8] == UInt8(ascii: "{") && bytes.count == 8 + length + 24 + 8 + 16)
    // Python reads the header as JSON.
    let json = try JSONSerialization.jsonObject(with: Data(bytes[8..<(8 + length)])) as? [String: Any]
    #expect(json?.keys.sorted() == ["", "__metadata__", "a\"\\\u{1}é", "b", "c"])
    try before.write(to: file.path)
    #expect(try file.read() == bytes)
  }

  @Test func nothing() throws {
    defer { file.remove() }
    try Safetensors(tensors: []).write(to: file.path)
    #expect(try Safetensors(path: file.path) == Safetensors(tensors: []))
    try file.write(SafetensorsFile.bytes(header: "{}", elements: []))
    #expect(try Safetensors(path: file.path).tensors.isEmpty)
  }

  /// Numbers of 16 bits, and JSON in all the ways that it can be written.
  @Test func reads() throws {
    defer { file.remove() }
    for (type, bytes, numbers) in [
      ("F16", [0, 0x3e, 1, 0x80], [1.5, -0x1p-24]), ("BF16", [0xc0, 0x3f, 0, 0xc0], [1.5, -2]),
    ] as [(String, [UInt8], [Float])] {
      let header =
        " { \"x\\u0079\\ud83d\\ude00\\n\" : { \"data_offsets\" : [ 0 , 4 ] ,\t\"shape\":[2], \"dtype\":\"\(type)\"}}\n  "
      try file.write(SafetensorsFile.bytes(header: String(header.dropFirst()), elements: bytes))
      #expect(
        try Safetensors(path: file.path).tensors == [
          .init(name: "xy\u{1F600}\n", shape: [2], elements: .float32(numbers))
        ])
    }
    // The header may name tensors in another order than that of their elements.
    let header =
      #"{"late":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"early":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    try file.write(SafetensorsFile.bytes(header: header, elements: SafetensorsFile.floats([1, 2])))
    #expect(try Safetensors(path: file.path).tensors.map(\.name) == ["early", "late"])
  }

  static func entry(_ type: String = "F32", _ shape: String = "[2]", _ places: String = "[0,8]") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(places)}"
  }

  /// Headers before 8 bytes of elements, and words of the message.
  static let headers: [(String, [String])] = [
    ("", ["expected { at byte 0 of the header", "found the end"]), (" {}", ["expected { at byte 0"]),
    ("[]", ["expected { at byte 0"]), ("{", ["a string", "the end"]), ("{}", ["0 bytes of elements", "found 8"]),
    ("{} x", ["the end at byte 3"]), ("{,}", ["a string at byte 1"]), ("{\"a\"}", ["a colon"]),
    ("{\"a\":{}}", ["dtype, shape and two data_offsets at byte 5"]), ("{\"a\":1}", ["{ at byte 5"]),
    ("{\"a\":\(entry()),}", ["a string"]), ("{\"a\":\(entry()) \"b\"}", ["a comma or }"]),
    ("{\"a\":\(entry()),\"a\":\(entry())}", ["each name once"]),
    ("{\"__metadata__\":{},\"__metadata__\":{},\"a\":\(entry())}", ["each name once"]),
    ("{\"__metadata__\":{\"x\":\"\",\"x\":\"\"},\"a\":\(entry())}", ["each name once"]),
    ("{\"__metadata__\":{\"x\":1},\"a\":\(entry())}", ["a string"]),
    ("{\"__metadata__\":null,\"a\":\(entry())}", ["{ at byte"]),
    ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", ["once each"]),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}", ["once each"]),
    ("{\"a\":\(entry("F31"))}", ["a type such as \"F32\""]), ("{\"a\":\(entry("f32"))}", ["a type such as"]),
    ("{\"a\":\(entry("I64", "[1]"))}", ["F32, F64, F16 or BF16", "I64, a"]),
    ("{\"a\":\(entry("F32", "[-2]"))}", ["a whole number from 0", "-2"]),
    ("{\"a\":\(entry("F32", "[02]"))}", ["a whole number from 0"]),
    ("{\"a\":\(entry("F32", "[2.0]"))}", ["a comma or ]"]), ("{\"a\":\(entry("F32", "[2e0]"))}", ["a comma or ]"]),
    ("{\"a\":\(entry("F32", "[9223372036854775808]"))}", ["at most 63 bits"]),
    ("{\"a\":\(entry("F32", "2"))}", ["[ at byte"]),
    ("{\"a\":\(entry("F32", "\(Array(repeating: 1, count: 33))"))}", ["at most 32 numbers"]),
    ("{\"a\":\(entry("F32", "[4611686018427387904,4]"))}", ["can be addressed"]),
    ("{\"a\":\(entry("F32", "[0,4611686018427387904,4]"))}", ["can be addressed"]),
    ("{\"a\":\(entry("F64", "[2305843009213693952]"))}", ["can be addressed"]),
    ("{\"a\":\(entry("F32", "[3]"))}", ["12 bytes of a (shape (3,) of F32)", "found 8"]),
    ("{\"a\":\(entry("F32", "[2]", "[0]"))}", ["two data_offsets"]),
    ("{\"a\":\(entry("F32", "[2]", "[0,8,9]"))}", ["at most 2 numbers"]),
    ("{\"a\":\(entry("F32", "[2]", "[8,0]"))}", ["a from byte 0", "8 to 0"]),
    ("{\"a\":\(entry("F32", "[1]", "[4,8]"))}", ["a from byte 0", "4 to 8"]),
    ("{\"a\":\(entry("F32", "[1]", "[0,4]"))}", ["4 bytes of elements", "found 8"]),
    ("{\"a\":\(entry("F32", "[4]", "[0,16]"))}", ["16 bytes of elements", "only 8"]),
    ("{\"a\":\(entry()),\"b\":\(entry("F32", "[1]", "[4,8]"))}", ["b from byte 8", "4 to 8"]),
    ("{\"a\":\(entry("F32", "[1]", "[0,4]")),\"b\":\(entry("F32", "[0]", "[8,8]"))}", ["b from byte 4", "8 to 8"]),
    ("{\"a\u{1}\":\(entry())}", ["a string that ends"]), ("{\"a\\x\":\(entry())}", ["an escape of JSON"]),
    ("{\"\\ud800\":\(entry())}", ["a whole pair of surrogates"]), ("{\"\\udc00\":\(entry())}", ["surrogates"]),
    ("{\"\\u12g4\":\(entry())}", ["an escape of JSON"]), ("{\"\\u12", ["an escape of JSON"]),
    (String(repeating: "[", count: 60_000), ["expected { at byte 0"]),
    ("{\"a\":\(String(repeating: "[", count: 60_000))", ["{ at byte 5"]),
  ]

  @Test(arguments: headers.indices)
  func refusals(index: Int) throws {
    defer { file.remove() }
    let (header, words) = Self.headers[index]
    try file.write(SafetensorsFile.bytes(header: header, elements: SafetensorsFile.floats([1, 2])))
    try check(String(header.prefix(80)), words)
  }

  private func check(_ what: String, _ words: [String]) throws {
    let text = (failure(of: { _ = try Safetensors(path: file.path) }) as? DataError)?.description ?? "no error"
    #expect(text.hasPrefix(file.path + ": expected "), "\(what): \(text)")
    for word in words { #expect(text.contains(word), "\(what): \(text)") }
  }

  @Test func otherFiles() throws {
    defer { file.remove() }
    let good = Array(SafetensorsFile.header([("a", [2])]).utf8)
    let numbers = SafetensorsFile.floats([1, 2])
    let text = Array("<html>not found</html>".utf8)
    for (what, bytes, words) in [
      ("empty", [], ["a safetensors file", "0 bytes"]), ("cut short", [1, 0, 0], ["3 bytes"]),
      ("text", text, ["a safetensors file", "an HTML or XML page"]),
      ("pickle", [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9], ["a pickle of Python"]),
      ("NPY", NPYFile.bytes(header: NPYFile.header("<f4", shape: [0]), elements: []), ["an NPY file"]),
      (
        "long header", SafetensorsFile.bytes(header: good, length: 100_000_001, elements: numbers),
        ["100000000", "100000001"]
      ),
      (
        "longest header", SafetensorsFile.bytes(header: good, length: .max, elements: numbers),
        ["100000000", "\(UInt64.max)"]
      ),
      (
        "header cut short", SafetensorsFile.bytes(header: good, length: 99_999_999, elements: []),
        ["only \(good.count)"]
      ),
      (
        "no UTF-8",
        SafetensorsFile.bytes(header: Array("{\"".utf8) + [0xc3, 0x28] + good.dropFirst(2), elements: numbers),
        ["valid UTF-8 in the string at byte 1"]
      ),
      (
        "NaN", SafetensorsFile.bytes(header: good, elements: SafetensorsFile.floats([1, .nan])),
        [": a: expected finite numbers, found nan at index (1,)"]
      ),
    ] as [(String, [UInt8], [String])] {
      try file.write(bytes)
      let error = failure(of: { _ = try Safetensors(path: file.path) }) as? DataError
      for word in words { #expect(error?.description.contains(word) ?? false, "\(what): \(error as Any)") }
    }
    file.remove()
    #expect(throws: DataError(file.path, expected: "a readable file", found: "No such file or directory")) {
      try Safetensors(path: file.path)
    }
    #expect(throws: DataError("/dev/null", expected: "a file", found: "a pipe or a device")) {
      try Safetensors(path: "/dev/null")
    }
  }

  /// A file as large as its header says, which no memory holds.
  @Test func tooLarge() throws {
    defer { file.remove() }
    let header = SafetensorsFile.bytes(header: SafetensorsFile.header([("a", [1 << 43])]), elements: [])
    try file.write(header)
    guard truncate(file.path, off_t(header.count + 1 << 45)) == 0 else { return }
    try check("a file of 32 TiB", ["expected no more than fits the memory", "35184372 MB"])
  }

  @Test func refusesToWrite() throws {
    defer { file.remove() }
    let infinite = Safetensors(tensors: [.init(name: "a", shape: [2], elements: .float64([0, .infinity]))])
    #expect(throws: DataError("\(file.path): a", expected: "finite numbers", found: "inf at index (1,)")) {
      try infinite.write(to: file.path)
    }
    let one = Safetensors.Tensor(name: "a", shape: [1], elements: .float32([0]))
    #expect(
      (failure(of: { try Safetensors(tensors: [one, one]).write(to: file.path) }) as? DataError)?.found
        == "two called a")
    #expect(!FileManager.default.fileExists(atPath: file.path))
    #expect(throws: OutputError.self) { try Safetensors(tensors: [one]).write(to: "/tmp") }
  }

  /// Whatever a byte is changed to, and wherever the file ends, it is read or refused.
  @Test func mutations() throws {
    defer { file.remove() }
    let metadata = ["fisherkit": "{}", "format": "pt"]
    let tensors = [
      Safetensors.Tensor(name: "a", shape: [2, 1], elements: .float32([1, 2])),
      Safetensors.Tensor(name: "b", shape: [], elements: .float64([3])),
    ]
    try Safetensors(tensors: tensors, metadata: metadata).write(to: file.path)
    let good = try file.read()
    for count in 0..<good.count {
      try file.write(Array(good.prefix(count)))
      #expect(failure(of: { _ = try Safetensors(path: file.path) }) is DataError, "\(count) bytes")
    }
    var generator = SplitMix64(seed: 7)
    var refused = 0
    for _ in 0..<1500 {
      var bytes = good
      bytes[Int(generator.next() % UInt64(good.count))] = UInt8(truncatingIfNeeded: generator.next())
      try file.write(bytes)
      if let error = failure(of: { _ = try Safetensors(path: file.path) }) {
        refused += 1
        #expect((error as? DataError)?.place.hasPrefix(file.path) ?? false)
      }
    }
    #expect(refused > 400)
  }
}
