import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// `fisher tune`, from its flags to its files. One after the other, each on one thread: a budget is of the clock, which goes
/// on when others have the processor.
@Suite(.serialized) final class TuneTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  static let small = ["--optimizer", "sgd", "--shape", "64,16,10", "--validation", "500", "--threads", "1"]

  private func tune(_ arguments: [String]) throws -> Tool.Result { try Tool.run(["tune"] + arguments) }

  private func lines(_ name: String) throws -> [[String: Any]] {
    try String(contentsOfFile: folder.file(name), encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// All that comes out, and that `fisher train` takes the flags as they are.
  @Test func wholeRun() throws {
    let (log, out, picture) = (folder.file("t.jsonl"), folder.file("flags.txt"), folder.file("t.svg"))
    let start = ContinuousClock.now
    let result = try tune(
      Self.small + ["--budget", "8", "--log", log, "--out", out, "--picture", picture, "--epochs", "40"])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(ContinuousClock.now - start < .seconds(30))
    let lines = try lines("t.jsonl")
    #expect(lines.first?["kind"] as? String == "tune" && lines.first?["machine"] != nil)
    #expect(lines.count { $0["kind"] as? String == "range" } == 1)
    let trials = lines.filter { $0["kind"] as? String == "trial" }
    #expect(trials.count { $0["rung"] as? Int == 1 } == 9)
    #expect(trials.contains { $0["trial"] as? Int == 0 && ($0["settings"] as? [String: Any])?.isEmpty == true })
    let choice = try #require(lines.last)
    #expect(choice["kind"] as? String == "choice" && (choice["elapsed"] as? Double ?? 99) < 11)
    // Which says what it gained.
    let (loss, theirs) = (choice["loss"] as? Double, choice["defaults_loss"] as? Double)
    let best = try #require(loss), usual = try #require(theirs)
    #expect(best <= usual && (choice["trial"] as? Int == 0) == (best == usual), "\(choice)")
    #expect(result.output.contains(choice["text"] as? String ?? "?"), "\(result)")
    // The flags, as the file, the log and the last line have them.
    let flags = try String(contentsOfFile: out, encoding: .utf8)
    #expect(flags.hasSuffix("\n") && flags.count { $0 == "\n" } == 1 && flags.contains("--epochs 40"))
    #expect(choice["arguments"] as? String == flags.trimmingCharacters(in: .newlines))
    #expect(result.output.hasSuffix("fisher train \(flags)"), "\(result)")
    let fisher = Tool.executable("fisher").path
    let train = try Tool.run(["-c", "'\(fisher)' train $(cat '\(out)') --quiet"], executable: "/bin/sh")
    #expect(train.status == 0 && train.errors.isEmpty, "\(train)")
    let svg = try String(contentsOfFile: picture, encoding: .utf8)
    for word in ["Range test", "Trials: validation loss", "Compared by seed 1", "the defaults", "prefers-color-scheme"]
    {
      #expect(svg.contains(word), "\(word)")
    }
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    #expect(Set(folder.contents) == ["t.jsonl", "flags.txt", "t.svg"])
  }

  /// The same seed tries the same settings, another one others; only times differ.
  @Test func sameSettings() throws {
    func settings(_ seed: String, _ name: String) throws -> [Int: String] {
      let words = ["--optimizer", "momentum", "--shape", "64,16,10", "--threads", "1", "--quiet", "--budget", "8"]
      let result = try tune(words + ["--seed", seed, "--log", folder.file(name)])
      #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
      let first = try lines(name).filter { $0["kind"] as? String == "trial" && $0["rung"] as? Int == 1 }
      return Dictionary(
        uniqueKeysWithValues: first.map { ($0["trial"] as? Int ?? -1, $0["arguments"] as? String ?? "") })
    }
    let one = try settings("1", "a")
    #expect(one.count == 9 && one[0]?.hasSuffix("--threads 1 --seed 1") == true, "\(one)")
    #expect(try settings("1", "b") == one)
    #expect(try settings("2", "c") != one)
  }

  @Test func objectives() throws {
    for objective in [["loss"], ["time-to", "1.9"]] {
      let result = try tune(
        Self.small + ["--budget", "8", "--objective"] + objective + ["--trials", "3", "--log", folder.file("log")])
      #expect(result.status == 0, "\(result)")
      let choice = try #require(try lines("log").last)
      let text = choice["text"] as? String ?? ""
      if objective == ["loss"] {
        #expect(text.contains("train loss") || text.contains("did best"), "\(text)")
      } else {
        #expect(choice["reached_at"] != nil && text.contains("a validation loss of 1.9"), "\(choice)")
      }
    }
  }

  /// A rate at which nothing trains is out, and says why; where that are all, so does the run.
  @Test func diverging() throws {
    let result = try tune(
      Self.small + [
        "--learning-rate", "1e20", "--recoveries", "0", "--budget", "8", "--log", folder.file("log"), "--out",
        folder.file("out"),
      ])
    #expect(result.status == 70 && result.errors.count { $0 == "\n" } == 1, "\(result)")
    #expect(result.errors.contains("that all 8 failed; the first: "), "\(result)")
    #expect(!folder.contents.contains("out") && !folder.contents.contains("log"))
  }

  @Test func signals() throws {
    for (signal, isLate) in [(SIGINT, true), (SIGTERM, false)] {
      let process = Process()
      process.executableURL = Tool.executable("fisher")
      process.arguments =
        ["tune", "--budget", isLate ? "40" : "1000", "--log", "log", "--out", "out", "--picture", "p.svg"] + Self.small
      process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
      _ = FileManager.default.createFile(atPath: folder.file("errors"), contents: nil)
      process.standardError = FileHandle(forWritingAtPath: folder.file("errors"))
      process.standardOutput = FileHandle.nullDevice
      try process.runWithSignals()
      let part = folder.file("log.partial-\(process.processIdentifier)")
      func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
      // (in the second rung, or in the first)
      let start = ContinuousClock.now
      while process.isRunning, ContinuousClock.now - start < .seconds(60),
        !text(part).contains(isLate ? "\"kind\":\"rung\"" : "\"kind\":\"range\"")
      {
        usleep(5000)
      }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      let errors = text(folder.file("errors"))
      #expect(process.terminationStatus == 128 + signal && errors.count { $0 == "\n" } == 1, "\(errors)")
      #expect(errors.contains("out was not written; p.svg was not written"), "\(errors)")
      if isLate {
        #expect(errors.contains("the best so far, trial ") && errors.contains("the log is log"), "\(errors)")
        #expect(Set(folder.contents) == ["errors", "log"])
      } else {
        #expect(errors.contains("no trial was done, and there is no log"), "\(errors)")
        #expect(Set(folder.contents) == ["errors"])
      }
      for name in folder.contents { try FileManager.default.removeItem(atPath: folder.file(name)) }
    }
  }
}
