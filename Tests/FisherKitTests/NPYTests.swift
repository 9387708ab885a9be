import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// NumPy's files: read as they can be written, written as NumPy does.
@Suite struct NPYTests {
  let file = TemporaryFile()

  static let shapes: [[Int]] = [
    [], [1], [5], [0], [2, 3], [1, 7], [7, 1], [0, 4], [4, 0], [33, 70], [2, 3, 4], [35, 2, 40], [3, 1, 2, 5],
    Array(repeating: 1, count: 32),
  ]

  static func numbers(_ shape: [Int]) -> [Double] { (0..<shape.reduce(1, *)).map { Double($0) * 0.25 - 3 } }

  @Test(arguments: ["<f4", "<f8", ">f4", ">f8"], shapes)
  func reads(descr: String, shape: [Int]) throws {
    defer { file.remove() }
    let numbers = Self.numbers(shape)
    for fortran in [false, true] {
      let elements = NPYFile.elements(numbers, descr, fortran: fortran, shape: shape)
      let header = NPYFile.header(descr, fortran: fortran, shape: shape)
      for version: UInt8 in 1...3 {
        try file.write(NPYFile.bytes(header: header, version: version, elements: elements))
        let array = try NPYArray(path: file.path, rank: shape.count)
        #expect(array.shape == shape && array.count == numbers.count && array.place == file.path)
        #expect(array.isDouble == descr.hasSuffix("8"))
        #expect(array.elements == (array.isDouble ? .float64(numbers) : .float32(numbers.map(Float.init))))
      }
    }
  }

  /// One header in all the ways that Python would read it.
  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1)}",
    "{'shape':(2,1),'fortran_order':False,'descr':'<f4'}",
    "  {\"fortran_order\" : False ,\t\"descr\" : \"<f4\" , \"shape\" : ( 2 , 1 , ) , }   \n   ",
    "{'descr': '=f4', 'fortran_order': False, 'shape': (2, 1)}",
    "{'descr': '|f4', 'fortran_order': False, 'shape': (2, 1)}",
    "{'descr': 'f4', 'fortran_order': False, 'shape': (2, 1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ((2), 1)}",
    // as Python 2 wrote it
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }",
    "{u'descr': u'<f4', u'fortran_order': False, u'shape': (2, 1L), }",
    "{'descr': 'float32', 'fortran_order': False, 'shape': (2, 1), }",
    "{'descr': \"single\", 'fortran_order': False, 'shape': (2, 1), }",
    "{'descr': '<f', 'fortran_order': False, 'shape': (2, 1), }",
    "{'descr': 'f', 'fortran_order': False, 'shape': (2, 1), }",
  ])
  func readsHeader(header: String) throws {
    defer { file.remove() }
    try file.write(NPYFile.bytes(header: header, elements: NPYFile.elements([1.5, -2], "<f4", shape: [2, 1])))
    let array = try NPYArray(path: file.path)
    #expect(array.shape == [2, 1] && array.elements == .float32([1.5, -2]))
  }

  /// Every type by NumPy's names for it, with two numbers as the file has them and as they are.
  static let types: [(names: [String], bytes: [UInt8], numbers: [Double], isDouble: Bool)] = [
    (["<f2", "<e"], [0, 0x3e, 0x01, 0x80], [1.5, -0x1p-24], false),
    ([">f2", ">e"], [0x7b, 0xff, 0xc0, 0], [65504, -2], false),
    (["float16", "half", "f2", "=f2", "|e"], [0, 4, 0, 0x80], [0x1p-14, 0], false),
    (["float64", "double", "float", "d", "<d", "=f8", "|f8"], Array(repeating: 0, count: 16), [0, 0], true),
    (["|i1", "<i1", ">b", "int8", "byte"], [0x80, 0x7f], [-128, 127], false),
    (["|u1", "u1", ">B", "uint8", "ubyte"], [0x80, 0xff], [128, 255], false),
    (["<i2", "<h", "int16", "short"], [0xff, 0x7f, 0, 0x80], [32767, -32768], false),
    ([">u2", ">H"], [0xff, 0xff, 0, 1], [65535, 1], false),
    (["<i4", "int32", "intc"], [0xff, 0xff, 0xff, 0x7f, 0xfe, 0xff, 0xff, 0xff], [2_147_483_647, -2], true),
    ([">u4", ">I"], [0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0], [4_294_967_295, 256], true),
    (
      ["<i8", "<q", "int64", "int"], [0, 0, 0, 0, 0, 0, 0x20, 0] + Array(repeating: 0xff, count: 8), [0x1p53, -1], true
    ),
    ([">u8", "<u8"], [1] + Array(repeating: 0, count: 6) + [1, 0, 0, 0, 0, 0, 0, 0, 0], [], true),
  ]

  @Test(arguments: types.indices)
  func readsType(index: Int) throws {
    defer { file.remove() }
    let (names, bytes, numbers, isDouble) = Self.types[index]
    for name in names {
      try file.write(NPYFile.bytes(header: NPYFile.header(name, shape: [2]), elements: bytes))
      guard !numbers.isEmpty else {
        let error = failure(of: { _ = try NPYArray(path: file.path) }) as? DataError
        #expect(error?.expected == "integers that a float64 holds", "\(name): \(String(describing: error))")
        #expect(error?.found == "72057594037927937, element 0 in the file")
        continue
      }
      let array = try NPYArray(path: file.path)
      #expect(array.elements == (isDouble ? .float64(numbers) : .float32(numbers.map(Float.init))), "\(name)")
    }
  }

  /// What is converted comes out of Fortran order too, and is refused where it is no number.
  @Test func convertsFortranOrder() throws {
    defer { file.remove() }
    let header = NPYFile.header("<i2", fortran: true, shape: [2, 3])
    try file.write(NPYFile.bytes(header: header, elements: [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]))
    #expect(try NPYArray(path: file.path).elements == .float32([1, 2, 3, 4, 5, 6]))
    try file.write(NPYFile.bytes(header: NPYFile.header("<f2", shape: [2]), elements: [0, 0, 0, 0x7c]))
    let error = failure(of: { _ = try NPYArray(path: file.path) }) as? DataError
    #expect(error?.found == "inf at index (1,)")
  }

  @Test(arguments: shapes)
  func roundTrip(shape: [Int]) throws {
    defer { file.remove() }
    let numbers = Self.numbers(shape)
    for elements in [NPYArray.Elements.float64(numbers), .float32(numbers.map(Float.init))] {
      let written = NPYArray(shape: shape, elements: elements)
      try written.write(to: file.path)
      let read = try NPYArray(path: file.path)
      #expect(read.shape == shape && read.elements == elements && read.isDouble == written.isDouble)
      let size = try file.read().count
      #expect((size - numbers.count * (written.isDouble ? 8 : 4)) % 64 == 0)
    }
    #expect(!FileManager.default.fileExists(atPath: file.path + ".partial"))
  }

  /// What NumPy 2.4.6 writes: `numpy.save(path, numpy.array([[1, 2, 3], [4, 5, 6]], "f4"))`, and other arrays' headers.
  @Test func writesWhatNumPyWrites() throws {
    defer { file.remove() }
    let preamble = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
    func header(_ text: String) -> [UInt8] {
      preamble + Array((text + String(repeating: " ", count: 117 - text.count) + "\n").utf8)
    }
    try NPYArray(shape: [2, 3], elements: .float32([1, 2, 3, 4, 5, 6])).write(to: file.path)
    #expect(
      try file.read()
        == header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") + [
          0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40, 0, 0, 0xa0, 0x40, 0, 0, 0xc0, 0x40,
        ])
    try NPYArray(shape: [1], elements: .float64([-2])).write(to: file.path)
    #expect(
      try file.read()
        == header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") + [0, 0, 0, 0, 0, 0, 0, 0xc0])
    try NPYArray(shape: [], elements: .float64([0])).write(to: file.path)
    let number = [UInt8](repeating: 0, count: 8)
    #expect(try file.read() == header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }") + number)
  }

  @Test func matrices() throws {
    defer { file.remove() }
    let numbers = [0.5, -1, 2.25, 3, 1e-3, 7]
    try checkMatrix(numbers, of: Float.self)
    try checkMatrix(numbers, of: Double.self)
  }

  func checkMatrix<S: KernelScalar>(_ numbers: [Double], of: S.Type) throws {
    let floats = numbers.map { Float($0) }
    for elements in [NPYArray.Elements.float64(numbers), .float32(floats)] {
      let matrix = try Matrix<S>(npy: NPYArray(shape: [2, 3], elements: elements))
      let found = matrix.numbers
      #expect(found == (S.self == Float.self || elements == .float32(floats) ? floats.map(Double.init) : numbers))
    }
    let matrix = try Matrix<S>.make(numbers, rows: 2, columns: 3)
    try NPYArray(matrix).write(to: file.path)
    let array = try NPYArray(path: file.path, rank: 2)
    #expect(array.shape == [2, 3])
    #expect(array.elements == (S.self == Double.self ? .float64(numbers) : .float32(floats)))
    for shape in [[0, 4], [4, 0]] {
      let empty = try Matrix<S>(npy: NPYArray(shape: shape, elements: .float32([])))
      let (rows, columns) = (empty.rows, empty.columns)
      #expect([rows, columns] == shape && NPYArray(empty).shape == shape)
    }
  }
}

/// A file that each test makes for itself.
struct TemporaryFile {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("npy-\(UUID().uuidString)").path

  func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
  func read() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
