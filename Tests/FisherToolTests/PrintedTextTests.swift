import FisherKitToolSupport
import Foundation
import Testing

@testable import FisherKitTool

/// Names out of files, where a spreadsheet or a terminal would obey them.
@Suite struct PrintedTextTests {
  @Test(arguments: [
    ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
    ("@SUM(1,2)", "\"'@SUM(1,2)\""),
    ("\t=1", "'\t=1"), ("\r=1", "'\u{FFFD}=1"), ("\u{FF1D}1", "'\u{FF1D}1"), ("=\u{301}1", "'=\u{301}1"),
    ("--data x", "'--data x"), ("-", "'-"), ("-inf", "'-inf"), ("-1-1", "'-1-1"), ("+1e400", "'+1e400"),
    ("-0x10", "'-0x10"), ("-1.5", "-1.5"), ("+2", "+2"), ("-1e-05", "-1e-05"), ("1-1", "1-1"), ("a=b", "a=b"),
    ("", ""), ("a\r\n\"b\"", "\"a\n\"\"b\"\"\""), ("a\u{1B}[2J\u{9B}2J\u{7F}", "a\u{FFFD}[2J\u{FFFD}2J\u{FFFD}"),
    ("\u{202E}abc\u{2066}\u{2069}", "\u{FFFD}abc\u{FFFD}\u{FFFD}"), ("größe 训练", "größe 训练"),
  ])
  func cells(field: String, cell: String) { #expect(csvCell(field) == cell) }

  static let hostile = "=cmd|' /C calc'!A0 \u{1B}]0;x\u{7} \u{9B}2J \u{7F} \u{202E}gnp\u{2069}"

  private static func isQuiet(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { !$0.isObeyed || $0 == "\n" || $0 == "\r" }
  }

  /// In every form of a report, in names, reasons, files' names and events.
  @Test func reports() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("log.jsonl")
    var (run, header) = (ReportLog.runs[0], ReportLog.header)
    (run.network, run.optimizer, run.failure, run.level) = (Self.hostile, Self.hostile, Self.hostile, Self.hostile)
    (header.command, header.machine.system, header.grid.name) = (Self.hostile, Self.hostile, Self.hostile)
    run.divergences = [.init(epoch: 1, layers: [.init(name: Self.hostile, predicted: 1, measured: 1)])]
    try (ReportLog.line(header) + ReportLog.line(run)).write(toFile: log, atomically: true, encoding: .utf8)
    let training = folder.file("\(Self.hostile.replacingOccurrences(of: "/", with: "")).jsonl")
    try ReportLineTests.lines.joined(separator: "\n").write(toFile: training, atomically: true, encoding: .utf8)
    for format in ["csv", "markdown", "html"] {
      let result = try Tool.run(["report", log, training, "--format", format, "--out", "/dev/stdout"])
      #expect(result.status == 0 && Self.isQuiet(result.output), "\(format): \(result)")
      #expect(result.output.contains("\u{FFFD}") && Self.isQuiet(result.errors))
      guard format == "csv" else { continue }
      for row in result.output.split(separator: "\r\n").dropFirst() {
        #expect(row.hasPrefix("'=cmd") || row.hasPrefix("training log,'=cmd"), "\(row)")
      }
    }
  }

  /// In what an experiment says, and in the grid that it prints, which stays the same grid.
  @Test func experiments() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (grid, log) = (folder.file("grid.json"), folder.file("log.jsonl"))
    let name = "a \u{9B}2J \u{202E}b \u{7F}"
    try
      #"{"name":"\#(name)","flags":"--data synthetic --validation 200 --epochs 1","networks":[{"name":"\#(name)","flags":"--shape 64,8,10"}],"optimizers":[{"name":"\#(name)","flags":"--optimizer sgd","learning_rates":[0.01]}],"seeds":1}"#
      .write(toFile: grid, atomically: true, encoding: .utf8)
    let printed = try Tool.run(["experiment", grid, "--print-grid"])
    #expect(printed.status == 0 && Self.isQuiet(printed.output) && printed.output.contains("\\u009b2J"), "\(printed)")
    #expect(try ExperimentGrid(Data(printed.output.utf8), path: "grid").name == name)
    let run = try Tool.run(["experiment", grid, "--log", log])
    #expect(run.status == 0 && Self.isQuiet(run.output) && run.output.contains(#"a \u{9b}2J"#), "\(run)")
    #expect(try SmallExperiment.records(log).first?.network == name)
  }
}
