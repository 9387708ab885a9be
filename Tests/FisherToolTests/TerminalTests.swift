import FisherKitTestSupport
import FisherKitToolSupport
import Foundation
import Testing

/// What reaches a terminal: nothing that it obeys but what the tool itself asks of it, and of a dumb one not that either.
@Suite struct TerminalTests {
  @Test func visible() {
    for (text, shown) in [
      ("plain größe 训练 🚀", "plain größe 训练 🚀"), ("a\u{1B}[2Jb", "a\\u{1b}[2Jb"),
      ("\u{7F}\u{9B}31m", "\\u{7f}\\u{9b}31m"),
      ("a\nb\rc\td", "a\\nb\\rc\\td"), ("\u{202E}abc\u{2066}", "\\u{202e}abc\\u{2066}"),
      ("\u{200F}\u{61C}", "\\u{200f}\\u{61c}"),
      ("\0\u{2028}", "\\u{0}\\u{2028}"), ("a\r\nb", "a\\r\\nb"),
    ] {
      #expect(text.visible(keeping: []) == shown, "\(shown)")
    }
    #expect("a\nb\u{1B}".visible(keeping: ["\n"]) == "a\nb\\u{1b}")
  }

  /// On a terminal of that kind, with all that was printed there.
  private func terminal(_ type: String, _ command: String) throws -> String {
    let result = try Tool.run(
      ["-qec", "'\(Tool.executable("fisher").path)' \(command)", "/dev/null"], executable: "/usr/bin/script",
      environment: ["TERM": type])
    return result.output
  }

  private static let hostile = "x\u{1B}]0;mine\u{7}\u{9B}2J\u{202E}"

  #if os(Linux)
    @Test(arguments: ["dumb", "", "xterm"]) func kinds(type: String) throws {
      let folder = try Scratch()
      defer { folder.remove() }
      let (grid, costs) = try SmallExperiment.prepare(folder)
      for command in [
        "train --optimizer sgd --epochs 12",
        "experiment \(grid) --log \(folder.file("\(type).jsonl")) --cost-model \(costs)",
      ] {
        let text = try terminal(type, command)
        #expect(text.contains("epoch") || text.contains("runs"), "\(text)")
        #expect(text.unicodeScalars.contains("\u{1B}") == (type == "xterm"), "\(type), \(command): \(text)")
      }
    }

    /// Names of files and folders, of a grid and of a log.
    @Test func names() throws {
      let folder = try Scratch()
      defer { folder.remove() }
      let data = try ImageSet(rows: 5, columns: 3, classes: 5, gzip: false)
      let place = folder.file(Self.hostile)
      try FileManager.default.moveItem(atPath: data.path, toPath: place)
      let name = Self.hostile.unicodeScalars.map { String(format: "\\u%04x", $0.value) }.joined()
      let grid = SmallExperiment.grid.replacingOccurrences(of: "\"SGD\"", with: "\"\(name)\"")
        .replacingOccurrences(of: #""selection_seeds": 2, "seeds": 3"#, with: #""seeds": 1"#)
      try grid.write(toFile: folder.file("grid.json"), atomically: true, encoding: .utf8)
      for command in [
        "train --data '\(place)' --optimizer sgd --epochs 1 --batch 10", "train --data '\(place)/none'",
        "inspect '\(place).npy'", "'\(place)'", "train --log '\(place)/none/log'", "train --optimizer '\(place)'",
        "experiment '\(folder.file("grid.json"))' --log '\(place).jsonl'",
        "report '\(place).jsonl' --format markdown", "report '\(place).jsonl' --format csv",
        "report '\(place)' --format csv",
      ] {
        let text = try terminal("dumb", command).unicodeScalars
        #expect(
          !text.contains { ["\u{1B}", "\u{7}", "\u{9B}", "\u{202E}"].contains($0) }, "\(command)")
        // (in tables a sign of its own stands for each)
        #expect(
          String(text).contains("\\u{") || text.contains("\u{FFFD}") || command.contains("experiment"),
          "\(command): \(String(text))")
      }
    }
  #endif
}
