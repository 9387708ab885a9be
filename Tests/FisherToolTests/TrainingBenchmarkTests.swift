import Foundation
import Testing

/// `Benchmarks/training/run.py`, without peers.
@Suite struct TrainingBenchmarkTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Benchmarks/training").standardized.path

  private func run(_ arguments: [String], fisher: String = Tool.executable("fisher").path) throws -> Tool.Result {
    try Tool.run(["--fisher", fisher] + arguments, executable: "\(Self.folder)/run.py")
  }

  /// Logs whose names contain the text, as they were made.
  private func logs(named text: String, in folder: Scratch) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file("logs")).filter { $0.contains(text) }.sorted()
  }

  /// The one log whose name contains the text.
  private func run(named text: String, in folder: Scratch) throws -> [[String: Double]] {
    let logs = try logs(named: text, in: folder)
    try #require(logs.count == 1, "\(text): \(logs)")
    return try LogLines(path: folder.file("logs/\(logs[0])")).numbers
  }

  @Test func stepsAreThoseOfTheLogs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let out = folder.file("RESULTS.md")
    let result = try run(
      ["--data", "synthetic", "--quick", "--sections", "steps", "--logs", folder.file("logs"), "--out", out])
    #expect(result.status == 0 && result.output.isEmpty, "\(result)")
    #expect(folder.contents.sorted() == ["RESULTS.json", "RESULTS.md", "logs"])
    let report = try String(contentsOfFile: out, encoding: .utf8)
    // Of the second epoch: the first has early refreshes.
    let milliseconds = try ["our SGD", "our RNGD"].map { name in
      let epochs = try run(named: "\(name) 80 at 50.jsonl", in: folder).filter { $0["epoch"] != nil }
      return 1e3 * (epochs[1]["seconds"]! - epochs[0]["seconds"]!) / (epochs[1]["step"]! - epochs[0]["step"]!)
    }
    let shown = [milliseconds[1], milliseconds[0]].map { String(format: "%.3f", $0) }
    let ratio = String(format: "%.2f", milliseconds[1] / milliseconds[0])
    let row = "| w = 80, batch 50 | \(shown[0]) | \(shown[1]) | \(ratio) |"
    #expect(report.contains(row), "expected \(row) in \(report)")
    let again = try run(["--from", folder.file("RESULTS.json"), "--out", folder.file("again.md")])
    #expect(again.status == 0, "\(again)")
    #expect(try String(contentsOfFile: folder.file("again.md"), encoding: .utf8) == report)
    #expect(!report.contains("## Memory") && !report.contains("PyTorch eager"))
  }

  @Test func lossesAndMemoryAreThoseOfTheLogs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let out = folder.file("RESULTS.md")
    let result = try run(
      ["--data", "synthetic", "--quick", "--logs", folder.file("logs"), "--out", out]
        + ["--sections", "short,quality,memory"])
    #expect(result.status == 0, "\(result)")
    let report = try String(contentsOfFile: out, encoding: .utf8)
    let losses = try ["exact relu", "auto relu"].map { name in
      String(format: "%.4f", try run(named: name, in: folder)[0]["train_loss"]!)
    }
    #expect(report.contains("| 80-80-80, relu | 1 | \(losses[0]) | \(losses[1]) |"), "\(report)")
    let logged = try run(named: "RNGD auto, batch 50", in: folder)
    let megabytes = String(format: "%.1f", logged[1]["peak_memory_bytes"]! / 1e6)
    #expect(report.contains("| measured, MB | \(megabytes) |"), "\(report)")
    // The final's run, after that of the search: read from ln 10.
    let raced = try logs(named: "RNGD, the defaults", in: folder).last!
    let points = try LogLines(path: folder.file("logs/\(raced)")).numbers.filter { $0["train_loss"] != nil }
    var (before, lossBefore, crossing) = (0.0, log(10.0), Double?.none)
    for point in points where crossing == nil {
      let (loss, seconds) = (point["train_loss"]!, point["seconds"]!)
      if loss <= 0.3 {
        let share = (lossBefore - log(0.3)) / (lossBefore - log(loss))
        crossing = before + (seconds - before) * share
      }
      (before, lossBefore) = (seconds, log(loss))
    }
    let row = "| RNGD, the defaults: batch 50 | \(String(format: "%.3f", try #require(crossing))) |"
    #expect(report.contains(row), "expected \(row) in \(report)")
  }

  @Test(arguments: [
    "curves.py", "flags.py", "objective.py", "peers.py", "plan.py", "processes.py", "registry.py", "report.py",
    "schedules.py", "search.py", "setup.py", "space.py", "steps.py", "table.py",
  ])
  func examplesHold(file: String) throws {
    let result = try Tool.run(
      ["python3", "-m", "doctest", "\(Self.folder)/\(file)"], executable: "/usr/bin/env",
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    #expect(result.status == 0 && result.output == "", "\(result)")
  }

  @Test func refusals() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let out = folder.file("RESULTS.md")
    func refused(_ arguments: [String], _ flag: String, fisher: String = Tool.executable("fisher").path) throws {
      let result = try run(arguments, fisher: fisher)
      #expect(result.status != 0 && result.output.isEmpty, "\(result)")
      #expect(result.errors.hasPrefix("training: \(flag): expected"), "\(result)")
      #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }
    try refused(["--data", "synthetic", "--out", out], "--fisher", fisher: folder.file("none"))
    try refused(["--data", "synthetic", "--out", out], "--fisher", fisher: folder.path)
    try refused(["--data", "synthetic", "--quick", "--out", out], "--fisher", fisher: "/bin/false")
    try refused(["--data", "synthetic", "--peer-python", folder.file("none"), "--out", out], "--peer-python")
    try refused(["--data", folder.file("none"), "--out", out], "--data")
    try refused(["--data", "synthetic", "--out", folder.file("none/RESULTS.md")], "--out")
    try refused(["--data", "synthetic", "--seeds", "0", "--out", out], "--seeds")
    try refused(["--data", "synthetic", "--sections", "none", "--out", out], "--sections")
    try refused(["--from", folder.file("none"), "--out", out], "--from")
    #expect(folder.contents == [])
  }
}
