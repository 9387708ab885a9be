import Foundation
import Testing

@testable import FisherKit

/// What memory there is, from the texts that Linux has of it.
@Suite struct AvailableMemoryTests {
  @Test func system() {
    #expect(systemMemory("MemTotal: 9 kB\nMemAvailable:    1024 kB\nx: 1\n") == 1 << 20)
    #expect(
      systemMemory("MemTotal: 9 kB\n") == nil && systemMemory("MemAvailable:\n") == nil && systemMemory("") == nil)
  }

  @Test func limits() {
    func room(_ space: Int?, _ data: Int?, _ statm: String) -> Int? {
      memoryWithinLimits(addressSpace: space, data: data, statm: statm, pageSize: 4096)
    }
    let (statm, kept) = ("1000 500 100 10 0 300 0\n", 8 << 20)
    #expect(room(100 << 20, nil, statm) == 100 << 20 - 1000 * 4096 - kept)
    #expect(room(nil, 100 << 20, statm) == 100 << 20 - 300 * 4096 - kept)
    #expect(room(100 << 20, 50 << 20, statm) == 50 << 20 - 300 * 4096 - kept)
    #expect(room(1 << 20, nil, statm) == 0 && room(nil, nil, statm) == nil && room(1, 1, "") == nil)
  }

  @Test func room() {
    func room(_ limit: String, _ usage: String, _ statistics: String = "") -> Int? {
      ControlGroup.room(limit: limit, usage: usage, statistics: statistics, inactive: "inactive_file")
    }
    #expect(room("max\n", "5") == nil && room("9223372036854771712\n", "5") == nil && room("x", "5") == nil)
    #expect(room("100\n", "40\n") == 60 && room("100", "140") == 0)
    #expect(room("100", "40", "file 30\ninactive_file 25\n") == 85 && room("100", "40", "inactive_file 99") == 100)
  }

  /// The least of a group and all that it is in, of both versions.
  @Test func groups() throws {
    let manager = FileManager.default
    let root = manager.temporaryDirectory.appendingPathComponent("groups-\(UUID().uuidString)").path
    defer { try? manager.removeItem(atPath: root) }
    for (file, text) in [
      ("a/memory.max", "1000"), ("a/memory.current", "100"), ("a/b/memory.max", "2000"), ("a/b/memory.current", "90"),
      ("a/c/memory.max", "500"), ("a/c/memory.current", "100"), ("a/c/memory.stat", "inactive_file 40\n"),
      ("memory/d/memory.limit_in_bytes", "700\n"), ("memory/d/memory.usage_in_bytes", "300\n"),
      ("memory/d/memory.stat", "inactive_file 1\ntotal_inactive_file 50\n"),
    ] {
      let path = "\(root)/\(file)"
      try manager.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    for (membership, expected) in [
      ("0::/a/b\n", 900), ("0::/a/c\n", 440), ("0::/a/gone/gone\n", 900), ("0::/\n", nil), ("", nil),
      ("4:memory:/d\n0::/a\n", 450), ("4:cpu:/d\n", nil), ("nonsense\n:\n", nil),
    ] as [(String, Int?)] {
      #expect(ControlGroup(root: root).availableMemory(membership: membership) == expected, "\(membership)")
    }
    // as in a container, whose group is the root that it sees
    #expect(ControlGroup(root: "\(root)/a").availableMemory(membership: "0::/of/the/host\n") == 900)
  }

  /// Weights and gradients, the mini-batch, and what each layer holds of it.
  @Test(arguments: [false, true]) func networks(hasBatchNormalization: Bool) throws {
    let shape = [319, 300, 300, 40]
    let estimate = try Sequential<Float>.perceptronBytes(
      shape: shape, hasBatchNormalization: hasBatchNormalization, batchCapacity: 50)
    let model = try Sequential<Float>.perceptron(
      shape: shape, activation: Relu(), batchNormalization: hasBatchNormalization ? .init() : nil, batchCapacity: 50)
    let ratio = Double(estimate) / Double(model.bytes)
    #expect((0.8...1.2).contains(ratio), "\(estimate), \(model.bytes)")
    let refused = failure(of: {
      try Sequential<Float>.requireMemory(
        shape: [784, 2_000_000, 2_000_000, 10], hasBatchNormalization: false, batchCapacity: 1000)
    })
    guard case FisherError.exceedsMemoryCap(let what, let bytes, _, _)? = refused else {
      Issue.record("\(refused as Any)")
      return
    }
    #expect(what == "network 784-2000000-2000000-10" && bytes > 32_000_000_000_000)
    #expect(throws: FisherError.sizeOverflow(what: "network 9223372036854775807-9")) {
      try Sequential<Float>.requireMemory(shape: [Int.max, 9], hasBatchNormalization: false, batchCapacity: 1)
    }
  }
}
