import Foundation
import Testing

@testable import FisherKitTool

/// What `fisher report` takes, and what it refuses.
@Suite struct ReportReadingTests {
  private func report(_ text: String, name: String = "log.jsonl", _ arguments: [String]) throws -> Tool.Result {
    let folder = try Scratch()
    defer { folder.remove() }
    try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
    return try Tool.run(["report", folder.file(name)] + arguments)
  }

  private static let epoch =
    "{\"epoch\":1,\"step\":9,\"seconds\":1,\"train_loss\":1,\"train_error\":0.5,\"validation_loss\":1,"
    + "\"validation_accuracy\":0.5}\n"
  /// Of a loss that has no right and wrong.
  private static let plainEpoch = epoch.replacing(",\"train_error\":0.5", with: "")
    .replacing(",\"validation_accuracy\":0.5", with: "")
  private static let test = "{\"test_loss\":1,\"test_accuracy\":0.5,\"peak_memory_bytes\":9}\n"

  @Test func badData() throws {
    let (header, run) = (try ReportLog.line(ReportLog.header), try ReportLog.line(ReportLog.runs[0]))
    var empty = ReportLog.runs[0]
    empty.epochs = []
    func changed(_ change: (inout RunRecord) -> Void) throws -> String {
      var run = ReportLog.runs[1]
      change(&run)
      return try header + ReportLog.line(ReportLog.runs[0]) + ReportLog.line(run)
    }
    let huge = 9_223_372_036_854_775_807
    for (text, words) in [
      ("", ["log.jsonl: ", "empty"]), (header, ["at least one run", "none"]),
      (header + run + run.prefix(50) + "\n" + run, ["log.jsonl:3: ", "not JSON"]), ("nonsense\n", ["log.jsonl:1: "]),
      ("\n \r\n", ["log.jsonl: ", "empty"]), ("\u{FEFF}", ["log.jsonl: ", "empty"]),
      (header + "{\"kind\":\"other\"}\n", ["log.jsonl:2: ", "\"other\""]),
      (header + run.replacingOccurrences(of: "\"seed\":0", with: "\"seed\":\"x\""), ["log.jsonl:2: ", "\"seed\""]),
      (header + "{\"kind\":\"run\"}\n", ["log.jsonl:2: ", "none of its"]),
      (try header + ReportLog.line(empty), ["log.jsonl:2: ", "an epoch or a failure"]),
      (try changed { $0.dampingEvents = huge }, ["log.jsonl:3: ", "counts that can be"]),
      (try changed { $0.epochs[0].epoch = -huge }, ["log.jsonl:3: ", "counts that can be"]),
      (
        try changed { $0.arguments = "--epochs 2 " + $0.arguments },
        ["log.jsonl:3: ", "RNGD to be made by", "--epochs 2"]
      ),
      (
        header + run.replacingOccurrences(of: "\"seed\":0", with: "\"seed\":-1"),
        ["log.jsonl:2: ", "number out of range"]
      ),
      (header.replacingOccurrences(of: "\"losses\"", with: "\"loses\""), ["log.jsonl:1: ", "members", "\"loses\""]),
      ("{\"kind\":\"a\\r\\nb\\u001b[2J\"}\n", ["log.jsonl:1: ", #""a\r\nb\u{1b}[2J""#]),
      (String(header.dropLast(9)), ["log.jsonl:1: "]),
      (Self.epoch + Self.epoch, ["log.jsonl:2: ", "epoch 2", "found 1"]),
      (Self.epoch + "{\"test_loss\":1}\n", ["log.jsonl:2: ", "none of its \"peak_memory_bytes\""]),
      (
        Self.epoch + "{\"test_loss\":1,\"peak_memory_bytes\":9}\n", ["log.jsonl:2: ", "none of its \"test_accuracy\""]
      ),
      (Self.epoch.replacing(",\"train_error\":0.5", with: ""), ["log.jsonl:1: ", "in all epochs, or in none"]),
      (
        Self.plainEpoch + Self.test, ["log.jsonl:2: ", "found \"test_accuracy\" behind epochs without one"]
      ),
      (
        Self.plainEpoch + Self.epoch.replacing("\"epoch\":1", with: "\"epoch\":2"),
        ["log.jsonl:2: ", "in all epochs, or in none"]
      ),
      (header + run.replacing(/"train_error":[0-9.]+,/, with: ""), ["log.jsonl:2: ", "none of its \"train_error\""]),
      (Self.epoch + Self.test + "\n" + Self.epoch, ["log.jsonl:4: ", "nothing behind the last line", "one run"]),
      (Self.epoch.replacingOccurrences(of: "9", with: "-9"), ["log.jsonl:1: ", "counts that can be"]),
      (Self.epoch.replacingOccurrences(of: "0.5", with: "NaN"), ["log.jsonl:1: ", "not JSON (NaN or infinity): {"]),
      (Self.epoch.replacingOccurrences(of: "0.5", with: " -Infinity"), ["log.jsonl:1: ", "(NaN or infinity)"]),
      ("{\"event\":\"a\"}\n", ["log.jsonl: ", "epochs and a last line"]),
      ("{\"event\":3}\n" + Self.epoch, ["log.jsonl:1: ", "another type of \"event\""]),
      (header + "{\"event\":\"a\"}\n", ["log.jsonl: ", "at least one run"]),
      (header + "[1]\n" + run, ["log.jsonl:2: ", "another type of \"the line\""]),
    ] as [(String, [String])] {
      let result = try report(text, ["--format", "csv"])
      #expect(result.status == 65 && result.output.isEmpty, "\(text): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains("expected"), "\(result)")
      for word in words { #expect(result.errors.contains(word), "\(word): \(result)") }
    }
  }

  @Test func wrongCommandLines() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = try ReportLog.write(folder)
    for (arguments, word) in [
      ([log], "--out"), ([log, "--format", "pdf"], "pdf"), ([log, "--out", folder.path], "--out"),
      ([log, "--out", folder.file("none/report.html")], "--out"),
      ([log, "--format", "csv", "--svg-dir", log], "--svg-dir"),
      ([log, "--out", folder.file("page.html"), "--svg-dir", log], "--svg-dir"), ([log, "--out", log], "another file"),
      ([log, "--format", "csv", "--out", folder.file("./small.jsonl")], "another file"),
    ] {
      let result = try Tool.run(["report"] + arguments)
      #expect(result.status == 64 && result.output.isEmpty && result.errors.contains(word), "\(arguments): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }
    let missing = try Tool.run(["report", folder.file("none"), "--format", "csv"])
    #expect(missing.status == 65 && missing.errors.contains("found none"), "\(missing)")
    #expect(folder.contents == ["small.jsonl"])
  }

  /// An experiment that goes on has a last line that is being written.
  @Test func unfinishedLine() throws {
    let (header, run) = (try ReportLog.line(ReportLog.header), try ReportLog.line(ReportLog.runs[0]))
    let whole = try report(header + run, ["--format", "csv"])
    let result = try report(header + run + run.prefix(70), ["--format", "csv"])
    #expect(whole.status == 0 && whole.errors.isEmpty, "\(whole)")
    #expect(result.status == 0 && result.output == whole.output, "\(result)")
    #expect(result.errors.contains("log.jsonl:3: ") && result.errors.count { $0 == "\n" } == 1, "\(result)")
  }

  /// A run that two files have is counted once.
  @Test func sameRunTwice() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = try ReportLog.write(folder)
    let copy = folder.file("copy.jsonl")
    try FileManager.default.copyItem(atPath: log, toPath: copy)
    let once = try Tool.run(["report", log, "--format", "csv"])
    let twice = try Tool.run(["report", log, copy, "--format", "csv"])
    #expect(once.status == 0 && once.output == twice.output && twice.errors.isEmpty)
    // with another outcome it is told of, but not counted
    var other = ReportLog.runs[0]
    other.epochs[0].trainLoss += 0.1
    try ReportLog.line(other).write(toFile: copy, atomically: true, encoding: .utf8)
    let third = try Tool.run(["report", log, copy, "--format", "csv"])
    #expect(third.status == 0 && once.output == third.output && third.errors.contains("copy.jsonl:1: "), "\(third)")
  }

  /// Logs of `fisher train`, called by their files' names.
  @Test func trainingLogs() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for optimizer in ["adam", "sgd"] {
      let result = try Tool.run(
        ["train", "--optimizer", optimizer, "--epochs", "2", "--quiet", "--log", folder.file("\(optimizer).jsonl")])
      #expect(result.status == 0, "\(result)")
    }
    let files = [folder.file("adam.jsonl"), folder.file("sgd.jsonl")]
    let result = try Tool.run(["report"] + files + ["--format", "markdown"])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    for words in [
      "## training log", "| adam | 0.0005 | 1 | 0 |", "| sgd | 0.1 |", "Loss 0.27", "Peak memory",
    ] {
      #expect(result.output.contains(words), "\(words): \(result)")
    }
    // what such a log does not say is not said to be none
    #expect(!result.output.contains("factorisations"))
    let page = folder.file("page.html")
    #expect(try Tool.run(["report"] + files + ["--out", page]).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("Training runs"))
  }
}
