import Foundation
import FisherKitTestSupport
import Testing

@testable import FisherKit

/// A checkpoint is read as it was written, or refused.
@Suite final class CheckpointFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ckp-\(UUID().uuidString)").path
  private var path: String { "\(folder)/file" }

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private final class Some: State {
    var matrix: Matrix<Float>
    var blocks: BlockBatch<Double>
    var list = [1.5, -0.0]
    var empty: [Int] = []
    var count = 3

    init(rows: Int = 2, columns: Int = 3) throws {
      matrix = try Matrix(rows: rows, columns: columns)
      blocks = try BlockBatch(count: 2, order: 2)
      for i in 0..<rows { for j in 0..<columns { matrix[i, j] = Float(i - j) } }
    }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.visit("matrix", &matrix)
      try visitor.visit("blocks", &blocks)
      try visitor.visit("list", &list)
      try visitor.visit("empty", &empty, isOfAnyCount: true)
      try visitor.visit("count", &count, in: 0...9)
      try visitor.fixed("kind", "some")
    }
  }

  private func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
  private func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

  private func refusal() -> DataError? { failure(of: { _ = try CheckpointFile(path: self.path) }) as? DataError }

  @Test func asItWasWritten() throws {
    let one = try Some()
    one.matrix[1, 2] = Float(bitPattern: 0x7fa0_0001)
    (one.list, one.empty, one.count) = ([.nan, 2], [4, 5], 9)
    try CheckpointFile.write(one, notes: ["step": "12", "ν": "\"\n"], to: path)
    let checkpoint = try CheckpointFile(path: path)
    #expect(checkpoint.notes == ["step": "12", "ν": "\"\n"] && checkpoint.version == FisherKitVersion.current)
    #expect(checkpoint.entries.map(\.name) == ["matrix", "blocks", "list", "empty", "count", "kind"])
    let other = try Some()
    try checkpoint.restore(other)
    #expect(try SavedState(of: other) == SavedState(of: one))
    let first = try bytes()
    try CheckpointFile.write(other, notes: checkpoint.notes, to: path)
    #expect(try bytes() == first, "the same state is the same file")
  }

  /// Files that were put together by another program, byte by byte as `CheckpointHeader` says: the fuzzer's, behind their
  /// first byte.
  @Test func theFormat() throws {
    func corpus(_ name: String) throws -> [UInt8] {
      let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      return Array(try Data(contentsOf: tests.appendingPathComponent("Fuzz/corpus/checkpoint/\(name)")).dropFirst())
    }
    try put(try corpus("whole"))
    let checkpoint = try CheckpointFile(path: path)
    #expect(checkpoint.version == "0.1.0" && checkpoint.notes == ["step": "12", "loss": "0.5"])
    #expect(checkpoint.entries.map(\.name) == ["blocks", "indices", "matrix", "number", "part"])
    let entry = { (name: String) in checkpoint.entries.firstIndex { $0.name == name } ?? 0 }
    var (matrix, indices) = ([Float](repeating: 9, count: 4), [0, 0])
    try matrix.withUnsafeMutableBytes { try checkpoint.read(entry("matrix"), from: 0, into: $0) }
    try indices.withUnsafeMutableBytes { try checkpoint.read(entry("indices"), from: 0, into: $0) }
    #expect(matrix == [1, 2, 0, 4] && matrix[2].sign == .minus && indices == [3, 9])
    for (name, reason) in [("damaged", "damaged elements"), ("newer", "a newer version")] {
      try put(try corpus(name))
      #expect(refusal()?.found.contains(reason) ?? false, "\(name): \(refusal() as Any)")
    }
  }

  /// Larger than what is written and read at once.
  @Test func aLargeOne() throws {
    let one = try Some(rows: 300, columns: 517)
    one.list = [7, 8]
    try CheckpointFile.write(one, to: path)
    let other = try Some(rows: 301, columns: 517)
    try CheckpointFile(path: path).restore(other)
    #expect(try SavedState(of: other) == SavedState(of: one))
  }

  @Test func everyLength() throws {
    try CheckpointFile.write(try Some(), notes: ["step": "1"], to: path)
    let whole = try bytes()
    for length in 0..<whole.count {
      try put(Array(whole.prefix(length)))
      #expect(refusal() != nil, "\(length) of \(whole.count) bytes")
    }
    try put(whole + [0])
    #expect(refusal()?.expected.hasSuffix("bytes of elements") ?? false)
  }

  @Test func everyBit() throws {
    try CheckpointFile.write(try Some(), notes: ["step": "1"], to: path)
    let whole = try bytes()
    let descriptor = open(path, O_WRONLY)
    defer { close(descriptor) }
    for (place, byte) in whole.enumerated() {
      for bit in 0..<8 {
        var damaged = byte ^ (1 << bit)
        #expect(pwrite(descriptor, &damaged, 1, off_t(place)) == 1)
        #expect(refusal() != nil, "bit \(bit) of byte \(place)")
      }
      var same = byte
      #expect(pwrite(descriptor, &same, 1, off_t(place)) == 1)
    }
    #expect(refusal() == nil)
    // an entry that is damaged is named
    let list = try #require(whole.indices.first { Array(whole[$0...].prefix(8)) == [0, 0, 0, 0, 0, 0, 0xf8, 0x3f] })
    var damaged = whole
    damaged[list] ^= 1
    try put(damaged)
    #expect(
      refusal()?.description
        == "\(path): expected list as it was written, found damaged elements (their checksum is another)")
  }

  @Test func otherFiles() throws {
    try CheckpointFile.write(try Some(), to: path)
    let whole = try bytes()
    let body = Array(whole[CheckpointHeader.start..<CheckpointHeader.start + littleEndian(whole[12..<20])])
    for (file, expected, found) in [
      ([], "a checkpoint of FisherKit", "an empty file"), (Array("hello".utf8), "a checkpoint of FisherKit", "text"),
      ([0x1f, 0x8b, 8], "a checkpoint of FisherKit", "gzip data"),
      (
        CheckpointHeader.wrap(body, format: 2), "a checkpoint of format 1",
        "format 2, of a newer version of FisherKit"
      ),
    ] as [([UInt8], String, String)] {
      try put(file)
      #expect(refusal() == DataError(path, expected: expected, found: found))
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(refusal()?.found == "No such file or directory")
  }

  /// What a header claims is compared with the file, whatever its checksum says.
  @Test func claims() throws {
    func header(_ entries: [StateEntry]) -> [UInt8] {
      var header = CheckpointHeader()
      header.entries = entries
      return header.bytes
    }
    let zeros = [UInt8](repeating: 0, count: 4)
    let list = StateEntry("list", .list, .float64, shape: [0], bytes: 0)
    for (entry, reason) in [
      (StateEntry("list", .list, .float64, shape: [1 << 59], bytes: 1 << 62), "bytes of list"),
      (StateEntry("list", .list, .float64, shape: [1], bytes: 16), "whole entries"),
      (StateEntry("list", .list, .float64, shape: [1 << 61], bytes: 0), "whole entries"),
      (StateEntry("list", .list, .float64, shape: [1, 1], bytes: 8), "whole entries"),
      (StateEntry("list", .blocks, .float64, shape: [1, 1], bytes: .max), "bytes of list"),
      (StateEntry("list", .list, .float64, shape: [-1], bytes: -8), "whole entries"),
    ] {
      try put(header([entry]) + zeros)
      #expect(refusal()?.expected.contains(reason) ?? false, "\(entry), \(entry.bytes) bytes: \(refusal() as Any)")
    }
    try put(header([list, list]) + zeros + zeros)
    #expect(refusal()?.found == "two of list")
    try put(header([list]) + zeros)
    #expect(refusal() == nil)
    var long = CheckpointHeader.magic
    long.append(1, width: 4)
    long.append(1 << 40, width: 8)
    try put(long)
    #expect(refusal()?.expected == "a header of at most \(CheckpointHeader.maximumLength) bytes")
  }

  /// What does not fit is refused in the name of the file and the entry, and the object stays as it is.
  @Test func anotherObject() throws {
    let one = try Some()
    one.count = 7
    try CheckpointFile.write(one, to: path)
    let other = try Some(columns: 4)
    let error = failure(of: { try CheckpointFile(path: self.path).restore(other) }) as? DataError
    #expect(
      error?.description
        == "\(path): matrix: expected a matrix of float32, 2 rows at most × 4, found a matrix of float32, 2 × 3")
    #expect(other.count == 3)
  }

  @Test func whatCannotBeSavedLeavesTheOlder() throws {
    final class Broken: State {
      func visit(_ visitor: StateVisitor) throws { try visitor.refuse(self, bytes: 0) }
    }
    try CheckpointFile.write(try Some(), to: path)
    let before = try bytes()
    #expect(throws: StateError.self) { try CheckpointFile.write(Broken(), to: self.path) }
    #expect(try bytes() == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
  }
}
