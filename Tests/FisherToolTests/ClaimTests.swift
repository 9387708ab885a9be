import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKitTool

/// Small files that claim much: nothing is allocated, listed or computed for what is not there.
@Suite struct ClaimTests {
  /// Rows without elements take nothing in a file, and would get a bias each.
  @Test func rowsOfNothing() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (x, w) = (folder.file("x.npy"), folder.file("w.npy"))
    try NPYArray(shape: [2, 1], elements: .float64([1, 2])).write(to: w)
    for rows in [1 << 24, 1 << 40, Int.max] {
      let bytes = NPYFile.bytes(header: NPYFile.header("<f8", shape: [rows, 0]), elements: [])
      try Data(bytes).write(to: URL(fileURLWithPath: x))
      let result = try Tool.run(
        ["rfim", "--subsystem", "layer", "--activation", "tanh", "--inputs", x, "--weights", w]
          + ["--out", folder.file("g.npy")])
      #expect(result.status == 65 && result.errors.contains("x.npy: expected at least one input"), "\(result)")
    }
  }

  /// What a grid lacks is what its queue would still give out, whichever runs there are.
  @Test func unfinishedRuns() throws {
    var generator = SplitMix64(seed: 3)
    for round in 0..<60 {
      var header = ReportLog.header
      header.grid.selectionSeeds = round % 3 + 1
      header.grid.seeds = header.grid.selectionSeeds + round / 3 % 3
      let most = generator.next() % 8
      var runs = ReportLog.runs.filter { _ in round == 0 || generator.next() % 8 <= most }
      if round % 7 == 0 { for i in runs.indices where runs[i].optimizer == "SGD" { runs[i].failure = "so" } }
      let queue = ExperimentQueue(grid: header.grid, done: runs)
      let left = Set(queue.remaining.map(\.arguments)).count
      #expect(Study(headers: [header], runs: runs).unfinished == left, "round \(round): \(header.grid.seeds) seeds")
    }
  }

  @Test func aMillionRuns() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    var header = ReportLog.header
    header.grid.networks = [header.grid.networks[0]]
    header.grid.optimizers = [header.grid.optimizers[0]]
    (header.grid.selectionSeeds, header.grid.seeds) = (500_000, 500_000)
    let log = folder.file("log.jsonl")
    try (ReportLog.line(header) + ReportLog.line(ReportLog.runs[0])).write(
      toFile: log, atomically: true, encoding: .utf8)
    let result = try Tool.run(
      [
        "-c",
        "ulimit -d 200000; exec '\(Tool.executable("fisher").path)' report '\(log)' "
          + "--format markdown",
      ], executable: "/bin/sh")
    #expect(result.status == 0 && result.output.contains("Not finished: 999999 more runs"), "\(result)")
  }
}
