import Foundation
import Testing

@testable import FisherKit

/// Which checkpoints of a run are kept, and which is found.
@Suite final class CheckpointFolderTests {
  private let parent = FileManager.default.temporaryDirectory.appendingPathComponent("ckps-\(UUID().uuidString)").path
  private var path: String { "\(parent)/run" }

  init() throws { try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: parent) }

  private final class Counter: State {
    var count: Int
    init(_ count: Int = 0) { self.count = count }
    func visit(_ visitor: StateVisitor) throws { try visitor.visit("count", &count) }
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

  private func count(_ checkpoint: CheckpointFile?) throws -> Int? {
    let counter = Counter(-1)
    try checkpoint?.restore(counter)
    return checkpoint == nil ? nil : counter.count
  }

  @Test func theLastOnesAndTheBest() throws {
    let folder = try CheckpointFolder(path: path, keepLast: 2)
    #expect(try folder.newest() == nil && folder.newestWhole() == nil && folder.best() == nil)
    let kept: [(loss: Double?, steps: [Int])] = [
      (3, [10]), (1, [10, 20]), (2, [20, 30]), (.nan, [20, 30, 40]), (nil, [20, 40, 50]), (0.5, [50, 60]),
      (4, [60, 70]), (5, [60, 70, 80]),
    ]
    for (index, (loss, steps)) in kept.enumerated() {
      try folder.write(Counter(index), step: 10 * (index + 1), loss: loss)
      #expect(folder.steps == steps, "after step \(10 * (index + 1))")
    }
    #expect(try count(try folder.newest()) == 7 && count(folder.best()) == 5)
    #expect(try names().first == "step-000000000060.checkpoint")
    // of the same step: replaced
    try folder.write(Counter(99), step: 80)
    #expect(try count(try folder.newest()) == 99 && folder.steps == [60, 70, 80])
    try folder.write(Counter(1), step: 1_000_000_000_000)
    #expect(folder.steps == [60, 80, 1_000_000_000_000])
  }

  @Test func theNewestIsDamaged() throws {
    let folder = try CheckpointFolder(path: path, keepLast: 3)
    for step in 1...3 { try folder.write(Counter(step), step: step) }
    func damage(_ step: Int, cut: Bool = false) throws {
      var data = try Data(contentsOf: URL(fileURLWithPath: folder.file(step: step)))
      if cut { data.removeLast() } else { data[data.count - 6] ^= 1 }
      try data.write(to: URL(fileURLWithPath: folder.file(step: step)))
    }
    try damage(3)
    let error = failure(of: { _ = try folder.newest() }) as? DataError
    #expect(error?.place == folder.file(step: 3) && error?.expected == "count as it was written")
    #expect(error?.found.hasSuffix("; the last one that is whole is \(folder.file(step: 2))") ?? false)
    #expect(try count(folder.newestWhole()) == 2)
    try damage(2, cut: true)
    #expect(try count(folder.newestWhole()) == 1)
    // what is cut short does not count, and stays
    try folder.write(Counter(4), step: 4)
    try folder.write(Counter(5), step: 5)
    #expect(folder.steps == [2, 3, 4, 5])
    for step in 4...5 { try damage(step) }
    let none = failure(of: { _ = try folder.newest() }) as? DataError
    #expect(none?.found.hasSuffix("; none of the folder is whole") ?? false)
  }

  /// What is not ours stays; what a run that was killed left goes.
  @Test func whatElseIsThere() throws {
    let folder = try CheckpointFolder(path: path, keepLast: 1)
    let others = [
      "step-1.checkpoint", "step-00000000000x.checkpoint", "notes", "step-000000000001.checkpoint.partial-x",
    ]
    for name in others + ["step-000000000007.checkpoint.partial-99999999"] {
      try "left".write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }
    for step in [1, 2] { try folder.write(Counter(step), step: step) }
    #expect(try names() == (others + ["step-000000000002.checkpoint"]).sorted())
  }

  @Test func unusableFolders() throws {
    #expect(throws: FisherError.self) { try CheckpointFolder(path: self.path, keepLast: 0) }
    try "file".write(toFile: path, atomically: true, encoding: .utf8)
    let error = failure(of: { _ = try CheckpointFolder(path: self.path) }) as? OutputError
    #expect(error?.cause == .unusablePath && error?.found == "a file")
    let missing = failure(of: { _ = try CheckpointFolder(path: "\(self.parent)/none/run") }) as? OutputError
    #expect(missing?.cause == .unusablePath && missing?.found == "No such file or directory")
  }
}
