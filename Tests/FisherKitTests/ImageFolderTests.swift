import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Image folders, right and wrong. What is wrong names the file, what was expected there and what was found.
@Suite struct ImageFolderTests {
  @Test(arguments: [false, true], [(4, 3), (1, 1), (5, 2)])
  func reads(gzip: Bool, size: (Int, Int)) throws {
    let set = try ImageSet(rows: size.0, columns: size.1, gzip: gzip)
    defer { set.remove() }
    let data = try ImageFolder.load(path: set.path)
    #expect(data.width == size.0 * size.1 && data.classes == 4)
    #expect(data.training == 0..<200 && data.validation == 200..<240 && data.test.count == 60)
    let pixels = Array(try Self.plain(set, .trainImages, gzip).dropFirst(16))
    guard case .bytes(let bytes, let scale) = data.samples.features else {
      Issue.record("expected bytes")
      return
    }
    #expect(bytes == pixels && scale == 1.0 / 255)
    #expect(data.samples.labels == (0..<240).map { Int32($0 % 4) })
  }

  /// The bytes of a file, read another way.
  private static func plain(_ set: ImageSet, _ file: ImageSet.File, _ gzip: Bool) throws -> [UInt8] {
    let bytes = try set.read(file, gzip: gzip)
    return gzip ? Array(bytes[15..<(bytes.count - 8)]) : bytes
  }

  /// A file larger than the pieces it is read in.
  @Test func largeFile() throws {
    let path = NSTemporaryDirectory() + "fisher-large-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let count = 5_000_001
    let elements = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let bytes = IDXFile.bytes(dimensions: [count], elements: elements)
    for file in [bytes, IDXFile.gzip(bytes)] {
      try Data(file).write(to: URL(fileURLWithPath: path))
      let idx = try IDX(path: path, dimensions: 1)
      #expect(idx.dimensions == [count])
      #expect(idx.elements == elements)
    }
  }

  @Test func validationCount() throws {
    let set = try ImageSet()
    defer { set.remove() }
    #expect(try ImageFolder.load(path: set.path, validationCount: 10).validation == 230..<240)
    for count in [0, 240, 1000] {
      let error = failure(of: { _ = try ImageFolder.load(path: set.path, validationCount: count) })
      #expect((error as? DataError)?.found == "\(count)")
    }
  }

  /// Each way to be wrong: what is done to a file, and words of the message.
  struct Damage: Sendable, CustomStringConvertible {
    let description: String
    let file: ImageSet.File
    let words: [String]
    let change: @Sendable ([UInt8]) -> [UInt8]
  }

  static let damages: [Damage] = [
    Damage(description: "empty", file: .trainImages, words: ["magic of 4 bytes", "0 bytes"]) { _ in [] },
    Damage(description: "wrong magic", file: .trainImages, words: ["first bytes 0 0", "first bytes 1 0"]) {
      [1] + $0.dropFirst()
    },
    Damage(description: "wrong type", file: .testImages, words: ["type 8", "type 13"]) {
      Array($0[0..<2]) + [13] + $0.dropFirst(3)
    },
    Damage(
      description: "labels where images belong", file: .trainImages,
      words: ["images, 3 dimensions", "found 1 dimension"]
    ) {
      _ in IDXFile.bytes(dimensions: [3], elements: [1, 2, 3])
    },
    Damage(
      description: "images where labels belong", file: .testLabels, words: ["labels, 1 dimension", "3 dimensions"]
    ) {
      _ in IDXFile.bytes(dimensions: [1, 1, 1], elements: [1])
    },
    Damage(
      description: "header cut short", file: .trainImages, words: ["3 dimensions in the header", "end of the file"]
    ) {
      Array($0.prefix(9))
    },
    Damage(description: "truncated", file: .trainImages, words: ["2880 bytes", "only 2879"]) { $0.dropLast() },
    Damage(description: "too long", file: .trainLabels, words: ["240 bytes", "more behind them"]) { $0 + [0] },
    Damage(description: "count above the elements", file: .testImages, words: ["732 bytes", "only 720"]) {
      $0.prefix(7) + [61] + $0.dropFirst(8)
    },
    Damage(description: "fewer labels than images", file: .trainLabels, words: ["240 labels", "239"]) {
      $0.prefix(7) + [239] + $0.dropFirst(8).dropLast()
    },
    Damage(description: "a size no memory has", file: .trainImages, words: ["only 2880"]) {
      $0.prefix(4) + [0xff, 0xff, 0xff, 0xff] + $0.dropFirst(8)
    },
    Damage(description: "sizes that overflow", file: .trainImages, words: ["can be addressed"]) {
      $0.prefix(4) + Array(repeating: 0xff, count: 12) + $0.dropFirst(16)
    },
    Damage(description: "no images", file: .trainImages, words: ["at least one image", "0 images"]) { _ in
      IDXFile.bytes(dimensions: [0, 4, 3], elements: [])
    },
    Damage(description: "test images of another size", file: .testImages, words: ["4×3", "3×4"]) {
      $0.prefix(8) + [0, 0, 0, 3, 0, 0, 0, 4] + $0.dropFirst(16)
    },
    Damage(
      description: "a page", file: .trainImages, words: ["first bytes 0 0", "first bytes 60 104, an HTML or XML page"]
    ) { _ in
      Array("<html>not found</html>".utf8)
    },
    Damage(description: "a pointer", file: .testLabels, words: ["first bytes 118 101", "git lfs pull"]) { _ in
      Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7840016\n".utf8)
    },
    Damage(description: "an NPY file", file: .testLabels, words: ["first bytes 147 78, an NPY file"]) { _ in
      [0x93] + Array("NUMPY".utf8) + [1, 0]
    },
    Damage(description: "floats", file: .testImages, words: ["type 13 (floats of 32 bits)"]) {
      Array($0[0..<2]) + [13] + $0.dropFirst(3)
    },
    Damage(description: "little-endian sizes", file: .trainImages, words: ["(the sizes are little-endian"]) {
      Array($0[0..<4]) + $0[4..<8].reversed() + $0[8..<12].reversed() + $0[12..<16].reversed() + $0.dropFirst(16)
    },
  ]

  @Test(arguments: damages.indices)
  func damaged(index: Int) throws {
    let damage = Self.damages[index]
    for gzip in [false, true] {
      let set = try ImageSet(gzip: gzip)
      defer { set.remove() }
      try set.write(damage.file, damage.change(try Self.plain(set, damage.file, gzip)), gzip: gzip)
      let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
      let text = error.map(\.description) ?? "no error"
      #expect(text.contains(set.path), "\(damage), gzip \(gzip): \(text)")
      for word in damage.words { #expect(text.contains(word), "\(damage), gzip \(gzip): \(text)") }
    }
  }

  /// Damage to the gzip layer itself.
  @Test func damagedGzip() throws {
    let damages: [(String, ([UInt8]) -> [UInt8])] = [
      ("cut short", { $0.dropLast(20) }), ("wrong checksum", { flip($0, $0.count - 5) }),
      ("damaged block", { flip($0, 10) }), ("without its trailer", { $0.dropLast(8) }),
      ("a second member cut short", { $0 + $0.prefix(100) }), ("only a header", { Array($0.prefix(10)) }),
    ]
    func flip(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
      var bytes = bytes
      bytes[index] ^= 6
      return bytes
    }
    for (what, change) in damages {
      let set = try ImageSet(gzip: true)
      defer { set.remove() }
      let path = set.path(of: .trainImages, gzip: true)
      try Data(change(try set.read(.trainImages, gzip: true))).write(to: URL(fileURLWithPath: path))
      let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
      #expect(error?.place == path && error?.expected.contains("gzip") == true, "\(what): \(String(describing: error))")
    }
  }

  @Test(arguments: ImageSet.File.allCases)
  func missingFile(file: ImageSet.File) throws {
    let set = try ImageSet()
    defer { set.remove() }
    try FileManager.default.removeItem(atPath: set.path(of: file))
    let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(error == DataError(set.path, expected: "\(file.rawValue) or \(file.rawValue).gz in it", found: "neither"))
  }

  @Test func missingFolder() throws {
    let set = try ImageSet()
    set.remove()
    let error = failure(of: { _ = try ImageFolder.load(path: set.path) }) as? DataError
    #expect(error?.found == "no such folder" && error?.place == set.path)
    let file = failure(of: { _ = try ImageFolder.load(path: "/dev/null") }) as? DataError
    #expect(file?.found == "a file")
  }
}
