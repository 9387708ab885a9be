import Foundation
import Testing

/// `Benchmarks/training/run.py`, without peers.
@Suite struct TrainingBenchmarkTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Benchmarks/training").standardized.path

  private func run(_ arguments: [String], fisher: String = Tool.executable("fisher").path) throws -> Tool.Result {
    try Tool.run(["--fisher", fisher] + arguments, executable: "\(Self.folder)/run.py")
  }

  /// The one log whose name contains the text.
  private func run(named text: String, in folder: Scratch) throws -> [[String: Double]] {
    let logs = try FileManager.default.contentsOfDirectory(atPath: folder.file("logs")).filter { $0.contains(text) }
    try #require(logs.count == 1, "\(text): \(logs)")
    return try LogLines(path: folder.file("logs/\(logs[0])")).numbers
  }

  @Test func stepsAreThoseOfTheLogs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let out = folder.file("RESULTS.md")
    let result = try run(
      ["--data", "synthetic", "--quick", "--only", "step", "--logs", folder.file("logs"), "--out", out])
    #expect(result.status == 0 && result.output.isEmpty, "\(result)")
    #expect(folder.contents.sorted() == ["RESULTS.md", "logs"])
    let report = try String(contentsOfFile: out, encoding: .utf8)
    let (sgd, rngd) = (try run(named: "our SGD", in: folder)[0], try run(named: "RNGD auto", in: folder)[0])
    let milliseconds = [sgd, rngd].map { 1e3 * $0["seconds"]! / $0["step"]! }
    for (name, time) in zip(["our SGD", "RNGD auto, refreshes included"], milliseconds) {
      let row = "| \(name) | \(String(format: "%.4f", time)) | \(String(format: "%.2f", time / milliseconds[0])) |"
      #expect(report.contains(row), "expected \(row) in \(report)")
    }
    #expect(!report.contains("## Memory") && !report.contains("PyTorch eager"))
  }

  @Test func lossesAndMemoryAreThoseOfTheLogs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let out = folder.file("RESULTS.md")
    let result = try run(
      ["--data", "synthetic", "--quick", "--logs", folder.file("logs"), "--out", out]
        + ["time", "quality", "memory"].flatMap { ["--only", $0] })
    #expect(result.status == 0, "\(result)")
    let report = try String(contentsOfFile: out, encoding: .utf8)
    let losses = try ["exact relu", "auto relu"].map { name in
      String(format: "%.4f", try run(named: name, in: folder)[0]["train_loss"]!)
    }
    #expect(report.contains("| 80-80-80, relu | 1 | \(losses[0]) | \(losses[1]) |"), "\(report)")
    let logged = try run(named: "RNGD auto, batch 50", in: folder)
    let megabytes = String(format: "%.1f", logged[1]["peak_memory_bytes"]! / 1e6)
    #expect(report.contains("| measured, MB | \(megabytes) |"), "\(report)")
    // One epoch gets there, from ln 10.
    let (loss, seconds) = (logged[0]["train_loss"]!, logged[0]["seconds"]!)
    try #require(loss < 0.3)
    let start = log(10.0)
    let crossing = seconds * (log(start / 0.3) / log(start / loss))
    let figures = String(format: "%.3f | %.3f", crossing, seconds)
    let row = "| RNGD auto, batch 50 | \(figures) |"
    #expect(report.contains(row), "expected \(row) in \(report)")
  }

  @Test(arguments: ["curves.py", "processes.py", "settings.py", "table.py"])
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
    #expect(folder.contents == [])
  }
}
