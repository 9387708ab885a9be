import Foundation
import Testing

@testable import FisherKitTool

/// Logs as runs, editors, shells and other tools leave them, which `fisher report` takes.
@Suite struct ReportLineTests {
  static func epoch(_ number: Int, _ more: String = "") -> String {
    "{\"epoch\":\(number),\"step\":\(9 * number),\"seconds\":1,\"train_loss\":1,\"train_error\":0.5,"
      + "\"validation_loss\":1,\"validation_accuracy\":0.5\(more)}"
  }
  static let test = "{\"test_loss\":1,\"test_accuracy\":0.25,\"peak_memory_bytes\":3000000}"
  static let lines = [epoch(1), epoch(2), test]

  /// The CSV of a log's text, with its standard error.
  private func csv(_ text: String) throws -> Tool.Result {
    let folder = try Scratch()
    defer { folder.remove() }
    try text.write(toFile: folder.file("log.jsonl"), atomically: true, encoding: .utf8)
    var result = try Tool.run(["report", folder.file("log.jsonl"), "--format", "csv"])
    result.output = result.output.replacingOccurrences(of: folder.path, with: "")
    return result
  }

  /// One log, whatever is between its lines.
  @Test func betweenLines() throws {
    let usual = try csv(Self.lines.joined(separator: "\n") + "\n")
    #expect(usual.status == 0 && usual.errors.isEmpty && usual.output.contains(",1.0,0.25,3000000,"), "\(usual)")
    let all = Self.lines.joined(separator: "\n")
    let own = [Self.epoch(1, ",\"loss\":{\"layer 1\":0.25}"), Self.epoch(2, ",\"note\":[null]"), Self.test]
    let logs: [(String, String)] = [
      ("no last newline", all), ("CRLF", Self.lines.map { $0 + "\r\n" }.joined()),
      ("CRLF without the last", Self.lines.joined(separator: "\r\n")), ("a mark of UTF-8", "\u{FEFF}\(all)\n"),
      ("blank lines", "\n\r\n" + Self.lines.joined(separator: "\n\n \t\n") + "\n\n\n"),
      ("a blank line without its end", "\(all)\n  "), ("keys of its own", own.joined(separator: "\n")),
    ]
    for (what, text) in logs {
      let result = try csv(text)
      #expect(result.status == 0 && result.errors.isEmpty && result.output == usual.output, "\(what): \(result)")
    }
    let experiment = try ReportLog.text()
    let blank = try csv("\n" + experiment.replacingOccurrences(of: "\n", with: "\r\n\n"))
    #expect(try blank.output == csv(experiment).output && blank.errors.isEmpty)
  }

  /// The line that a log begins with says what made it, and comes once and first.
  @Test func header() throws {
    let header =
      "{\"kind\":\"training\",\"command\":\"fisher train --seed 7\",\"version\":\"1.2.3\",\"seed\":7,\"learning_rate\":0.05,"
      + "\"threads\":4,\"machine\":{\"system\":\"Linux\",\"processor\":\"P\",\"cores\":8,\"level\":\"avx2\"}}"
    let event = "{\"event\":\"raised damping\",\"step\":12}"
    let result = try csv(([header, event] + Self.lines).joined(separator: "\n"))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    for line in result.output.split(separator: "\r\n").dropFirst() {
      #expect(line.hasPrefix("training log,log,0.05,7,true,fisher train --seed 7,1.2.3,4,avx2,"), "\(line)")
      #expect(line.hasSuffix(",3000000,1,,"), "\(line)")
    }
    for text in [[header, header] + Self.lines, [Self.epoch(1), header], [event, header] + Self.lines] {
      let result = try csv(text.joined(separator: "\n"))
      #expect(result.status == 65 && result.errors.contains("log.jsonl:2: expected the line that begins"), "\(result)")
    }
    let cut = try csv(([header.replacingOccurrences(of: "\"seed\":7,", with: "")] + Self.lines).joined(separator: "\n"))
    #expect(cut.status == 65 && cut.errors.contains("none of its \"seed\""), "\(cut)")
    let alone = try csv(header + "\n")
    #expect(alone.status == 65 && alone.errors.contains("expected epochs"), "\(alone)")
  }

  /// How often the trust region bound has a table by layer, in their order, and a column of CSV.
  @Test func bounds() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let epochs = [(1, 0.25), (2, 0)].map {
      Self.epoch($0, ",\"bound\":{\"layer 10\":1,\"layer 2\":0.125,\"layer 1\":\($1)}")
    }
    try (epochs + [Self.test]).joined(separator: "\n").write(
      toFile: folder.file("log.jsonl"), atomically: true, encoding: .utf8)
    let tables = try Tool.run(["report", folder.file("log.jsonl"), "--format", "markdown"]).output
    let rows = ["1 | 25.0 % | 0.0 %", "2 | 12.5 % | 12.5 %", "10 | 100.0 % | 100.0 %"].map { "| log | layer \($0) |" }
    #expect(tables.contains("steps that the trust region made shorter"), "\(tables)")
    #expect(tables.contains(rows.joined(separator: "\n")), "\(tables)")
    let page = folder.file("page.html")
    #expect(try Tool.run(["report", folder.file("log.jsonl"), "--out", page]).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("<table class=\"bounds\">"))
    let csv = try csv((epochs + [Self.test]).joined(separator: "\n")).output
    #expect(csv.contains("\"{\"\"layer 1\"\":0.25,\"\"layer 10\"\":1,\"\"layer 2\"\":0.125}\""), "\(csv)")
    for wrong in ["2", "-0.5", "null", "\"a\""] {
      let text = Self.epoch(1, ",\"bound\":{\"layer 1\":\(wrong)}") + "\n" + Self.test
      let result = try self.csv(text)
      #expect(result.status == 65 && result.errors.contains("log.jsonl:1: "), "\(wrong): \(result)")
    }
  }

  /// A run that was interrupted has its epochs; what is missing is told.
  @Test func interrupted() throws {
    for (torn, warnings) in [("", 1), (Self.test.prefix(20), 2), (Self.epoch(3).prefix(40), 2)] as [(Substring, Int)] {
      let result = try csv(Self.epoch(1) + "\n" + Self.epoch(2) + "\n" + torn)
      #expect(result.status == 0 && result.output.split(separator: "\r\n").count == 3, "\(result)")
      #expect(result.errors.count { $0 == "\n" } == warnings && result.errors.contains("interrupted"), "\(result)")
      #expect(torn.isEmpty || result.errors.contains("log.jsonl:3: expected a line that is finished"), "\(result)")
      // neither results nor memory are made up
      #expect(
        result.output.split(separator: "\r\n").dropFirst().allSatisfy { $0.hasSuffix(",0.5,,,,,,,,") }, "\(result)")
    }
    let utf16 = try Scratch()
    defer { utf16.remove() }
    try Self.lines.joined(separator: "\n").write(toFile: utf16.file("a"), atomically: true, encoding: .utf16)
    let result = try Tool.run(["report", utf16.file("a"), "--format", "csv"])
    #expect(result.status == 65 && result.errors.contains("UTF-16"), "\(result)")
  }

  /// Events of a run are counted by what they are.
  @Test func events() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("run.jsonl")
    func write(_ lines: [String]) throws {
      try lines.map { $0 + "\n" }.joined().write(toFile: log, atomically: true, encoding: .utf8)
    }
    let raised = "{\"event\":\"raised damping\",\"step\":12,\"layer\":\"layer 2\",\"neuron\":3,\"epoch\":7}"
    let later = raised.replacingOccurrences(of: "12", with: "40")
    let other = "{\"event\":\"<b>|\\u009b2J\",\"step\":null,\"kind\":\"run\"}"
    try write([raised, Self.epoch(1), later, other, Self.epoch(2), raised, Self.test, raised])
    let markdown = try Tool.run(["report", log, "--format", "markdown"])
    #expect(markdown.status == 0 && markdown.errors.isEmpty, "\(markdown)")
    #expect(markdown.output.contains("| run | raised damping | 4 | 12 | 40 |"), "\(markdown)")
    #expect(markdown.output.contains("| run | \\<b>\\|\u{FFFD}2J | 1 | – | – |"), "\(markdown)")
    let page = folder.file("page.html")
    #expect(try Tool.run(["report", log, "--out", page]).status == 0)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("<table class=\"events words\">") && html.contains("&lt;b&gt;|\u{FFFD}2J"))
    try write(Self.lines)
    #expect(try !Tool.run(["report", log, "--format", "markdown"]).output.contains("Events"))
    // an experiment's log as well
    try write([try ReportLog.text() + raised])
    #expect(try Tool.run(["report", log, "--format", "markdown"]).output.contains("| run | raised damping | 1 |"))
  }

  /// A file is read once, by however many names; pipes are read as files are.
  @Test func spellingsAndPipes() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("a.jsonl")
    try Self.lines.joined(separator: "\n").write(toFile: log, atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: folder.file("link.jsonl"), withDestinationPath: log)
    try FileManager.default.linkItem(atPath: log, toPath: folder.file("hard.jsonl"))
    let once = try Tool.run(["report", log, "--format", "markdown"])
    let often = try Tool.run(
      ["report", log, folder.file("./a.jsonl"), folder.file("link.jsonl"), folder.file("hard.jsonl"), log]
        + ["--format", "markdown"])
    #expect(once.status == 0 && often.status == 0 && once.output == often.output, "\(often)")
    let fisher = Tool.executable("fisher").path
    let expected = try Tool.run(["report", log, "--format", "csv"]).output.replacingOccurrences(
      of: log, with: "/dev/stdin")
    for command in ["cat '\(log)' | '\(fisher)' report /dev/stdin", "'\(fisher)' report /dev/stdin <'\(log)'"] {
      let piped = try Tool.run(["-c", "\(command) --format csv"], executable: "/bin/sh")
      #expect(
        piped.status == 0 && piped.output.replacingOccurrences(of: ",stdin,", with: ",a,") == expected, "\(piped)")
    }
    let substituted = try Tool.run(
      ["-c", "'\(fisher)' report <(cat '\(log)') <(cat '\(log)') --format markdown"], executable: "/bin/bash")
    #expect(substituted.status == 0 && substituted.output.contains("2 runs of"), "\(substituted)")
    for (path, words) in [("/dev/zero", "lines of at most"), (folder.path, "a folder"), ("/dev/null", "an empty file")]
    {
      let refused = try Tool.run(["report", path, "--format", "csv"])
      #expect(refused.status == 65 && refused.errors.contains(words), "\(refused)")
    }
  }
}
