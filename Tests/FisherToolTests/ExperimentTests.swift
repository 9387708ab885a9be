import Foundation
import Testing

@testable import FisherKitTool

/// `fisher experiment` as a user runs it.
@Suite struct ExperimentTests {
  private func run(_ folder: Scratch, _ log: String, _ more: String...) throws -> Tool.Result {
    let (grid, costs) = try SmallExperiment.prepare(folder)
    return try Tool.run(["experiment", grid, "--log", log, "--cost-model", costs] + more)
  }

  @Test func allRunsOnce() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("runs.jsonl")
    let result = try run(folder, log, "--jobs", "2")
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    let records = try SmallExperiment.records(log)
    #expect(records.count == SmallExperiment.runs)
    #expect(Set(records.map(\.arguments)).count == SmallExperiment.runs)
    #expect(result.output.split(separator: "\n").count { $0.contains(" seed ") } == SmallExperiment.runs)
    #expect(result.output.contains("the others take about"))
    for record in records {
      #expect(record.threads == 1)
      if record.learningRate == 1e20 {
        #expect(record.failure?.contains("after 10 returns") == true && record.testLoss == nil && record.seed < 2)
        continue
      }
      #expect(record.failure == nil && record.epochs.map(\.epoch) == [1, 2] && record.testAccuracy != nil)
      #expect(record.epochs[1].trainLoss < record.epochs[0].trainLoss)
      let isNatural = record.optimizer == "RNGD"
      #expect(record.divergences.map(\.epoch) == (isNatural ? [1, 2] : []))
      let layers = record.network == "a" ? 2 : 3
      #expect(record.effectiveDimensions.count == (isNatural ? layers : 0))
      for divergence in record.divergences {
        #expect(divergence.layers.count == layers)
        for layer in divergence.layers {
          #expect(layer.predicted > 0 && (0.8...1.25).contains(layer.measured / layer.predicted), "\(layer)")
        }
      }
    }
    // The third seed is there at the chosen rate only.
    for optimizer in ["SGD", "RNGD"] {
      let runs = records.filter { $0.network == "b" && $0.optimizer == optimizer }
      let chosen = try #require(Selection(of: runs.filter { $0.seed < 2 }))
      #expect(runs.filter { $0.seed == 2 }.map(\.learningRate) == [chosen.learningRate])
    }
    // The same command has nothing left to do, and leaves the log alone.
    let before = try SmallExperiment.lines(log)
    let again = try run(folder, log, "--jobs", "2")
    #expect(again.status == 0 && again.output.contains("24 of them in the log"), "\(again)")
    #expect(try SmallExperiment.lines(log).dropFirst() == before.dropFirst())
  }

  private struct Last: Decodable {
    var testLoss: Double
    enum CodingKeys: String, CodingKey { case testLoss = "test_loss" }
  }

  /// A run of the experiment is the run that `fisher train` makes of its flags.
  @Test func runsAreThoseOfTrain() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("my runs.jsonl")
    _ = try run(folder, log, "--quiet")
    for optimizer in ["SGD", "RNGD"] {
      let record = try #require(try SmallExperiment.records(log).first { $0.optimizer == optimizer && $0.seed == 1 })
      let single = folder.file("single.jsonl")
      var flags = record.arguments.split(separator: " ").map(String.init)
      if optimizer == "RNGD" { flags += ["--cost-model", folder.file("costs.json")] }
      let result = try Tool.run(["train"] + flags + ["--log", single, "--quiet", "--threads", "1"])
      #expect(result.status == 0, "\(result)")
      // (parsed as the record was: other parsers may be off by the last bit)
      let last = try JSONDecoder().decode(Last.self, from: Data(try #require(SmallExperiment.lines(single).last).utf8))
      #expect(last.testLoss == record.testLoss, "\(optimizer)")
    }
    // (the command can be given to a shell again)
    #expect(try #require(SmallExperiment.lines(log).first).contains(" --log '\(log)' "))
  }

  /// Killed at random moments and run again, the log is that of an undisturbed run; by one job or by three.
  @Test func killedAndGoneOnWith() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (grid, costs) = try SmallExperiment.prepare(folder)
    let (whole, killed) = (folder.file("whole.jsonl"), folder.file("killed.jsonl"))
    let started = ContinuousClock.now
    #expect(try run(folder, whole, "--quiet", "--jobs", "1").status == 0)
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    var generator = SystemRandomNumberGenerator()
    var counts: [Int] = []
    for _ in 0..<8 {
      let process = Process()
      process.executableURL = Tool.executable("fisher")
      process.arguments = ["experiment", grid, "--log", killed, "--cost-model", costs, "--quiet", "--jobs", "3"]
      process.standardInput = FileHandle.nullDevice
      try process.run()
      Thread.sleep(forTimeInterval: seconds * Double.random(in: 0.02...0.5, using: &generator))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      counts.append((try? SmallExperiment.lines(killed).count) ?? 0)
    }
    // What was finished stays, and something was.
    #expect(counts == counts.sorted() && counts[counts.count - 1] > 1, "\(counts)")
    let last = try run(folder, killed, "--quiet", "--jobs", "3")
    #expect(last.status == 0, "\(last)")
    let (expected, found) = (try SmallExperiment.records(whole), try runRecords(killed))
    #expect(found.map(\.timeless) == expected.map(\.timeless))
  }

  /// The last command's line differs by its flags.
  private func runRecords(_ path: String) throws -> [RunRecord] {
    try SmallExperiment.lines(path).filter { $0.contains(#""kind":"run""#) }
      .map { try JSONDecoder().decode(RunRecord.self, from: Data($0.utf8)) }
  }

  /// A line that was being written when the machine went down is taken out, and its run done again.
  @Test func lineThatWasCutOff() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("runs.jsonl")
    #expect(try run(folder, log, "--quiet").status == 0)
    let text = try String(contentsOfFile: log, encoding: .utf8)
    let expected = try SmallExperiment.records(log)
    for (cut, more) in [(1, ""), (2, ""), (100, ""), (400, ""), (60, "\0\0\0")] {
      try (String(text.dropLast(cut)) + more).write(toFile: log, atomically: true, encoding: .utf8)
      let result = try run(folder, log, "--quiet")
      #expect(result.status == 0, "\(result)")
      #expect(try SmallExperiment.records(log).map(\.timeless) == expected.map(\.timeless))
    }
  }

  /// Logits that leave each other behind by more than exponentials reach are a result, with what numbers there are.
  @Test func stepsThatGoFar() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (grid, log) = (folder.file("far.json"), folder.file("far.jsonl"))
    let text = """
      {"name": "far", "flags": "--data synthetic --batch 50 --epochs 2 --l2 0", "seeds": 1,
       "networks": [{"name": "a", "flags": "--shape 64,10"}],
       "optimizers": [{"name": "RNGD", "flags": "--optimizer rngd --trust-region 0 --damping 0.005", "learning_rates": [1, 100, 1e4, 1e8, 1e15]}]}
      """
    try text.write(toFile: grid, atomically: true, encoding: .utf8)
    let result = try Tool.run(["experiment", grid, "--log", log])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    let records = try SmallExperiment.records(log)
    #expect(records.count == 5)
    let divergences = records.flatMap(\.divergences).flatMap(\.layers)
    #expect(divergences.contains { $0.measured > 710 }, "\(divergences)")
  }

  /// More seeds go on with the same log.
  @Test func largerGrid() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let log = folder.file("runs.jsonl")
    #expect(try run(folder, log, "--quiet").status == 0)
    let more = folder.file("more.json")
    try SmallExperiment.grid.replacingOccurrences(of: #""seeds": 3"#, with: #""seeds": 4"#)
      .write(toFile: more, atomically: true, encoding: .utf8)
    let result = try Tool.run(["experiment", more, "--log", log])
    #expect(result.status == 0 && result.output.contains("28, 24 of them in the log"), "\(result)")
    let lines = try SmallExperiment.lines(log)
    #expect(lines.count == 2 + 28 && lines.prefix(2).allSatisfy { $0.contains(#""kind":"experiment""#) })
  }

  @Test func printedGridsCanBeRead() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for (flags, expected) in [([], ExperimentGrid.paper), (["--quick"], ExperimentGrid.quick)] {
      let result = try Tool.run(["experiment", "--print-grid"] + flags)
      let path = folder.file("grid.json")
      try result.output.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(try ExperimentGrid.load(path: path) == expected)
      // (cells of all kinds of the grid, which has thousands)
      let cells = expected.selectionCells
      for index in stride(from: 0, to: cells.count, by: max(1, cells.count / 29)) { _ = try cells[index].training() }
    }
    #expect(ExperimentGrid.paper.networks.count == 4 && ExperimentGrid.paper.seeds == 40)
  }
}
