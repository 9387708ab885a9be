import FisherKit
import FisherKitToolSupport
import Foundation
import Testing

@testable import FisherKitTool

/// The numbers of a report's tables and CSV, worked out again from the runs.
@Suite struct ReportNumberTests {
  private let study = Study(headers: [ReportLog.header], runs: ReportLog.runs)

  private func table(_ kind: String, of study: Study, network: Int = 0) throws -> Table {
    try #require(study.tables(of: study.networks[network]).first { $0.kind == kind })
  }

  /// The runs of the first network at the rate that is chosen there, by optimizer.
  private func chosen(_ optimizer: String) -> [RunRecord] {
    ReportLog.runs.filter { $0.network == "plain" && $0.optimizer == optimizer && $0.learningRate == 0.01 }
  }

  /// A row's cells; quoted ones have commas, and quotes twice.
  private func cells(_ row: String) -> [String] {
    var (cells, isQuoted) = ([""], false)
    for character in row {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
    }
    return cells
  }

  @Test func columns() throws {
    let rows = try CSVReport(study: study).text().components(separatedBy: "\r\n").dropLast()
    let heads = cells(rows[0])
    var place = 1
    for run in ReportLog.runs {
      for epoch in run.epochs {
        let row = Dictionary(uniqueKeysWithValues: zip(heads, cells(rows[place])))
        place += 1
        func number(_ head: String) -> Double? { row[head].flatMap { Double($0) } }
        #expect(row["network"] == run.network && number("learning_rate") == run.learningRate)
        #expect(number("seed") == Double(run.seed) && number("epoch") == Double(epoch.epoch))
        #expect(number("step") == Double(epoch.step) && number("seconds") == epoch.seconds)
        #expect(number("train_loss") == epoch.trainLoss && number("train_error") == epoch.trainError)
        #expect(number("validation_loss") == epoch.validationLoss)
        #expect(number("validation_accuracy") == epoch.validationAccuracy)
        #expect(number("test_loss") == run.testLoss && number("test_accuracy") == run.testAccuracy)
        #expect(number("memory_bytes") == Double(run.memoryBytes))
        #expect(number("damping_events") == Double(run.dampingEvents))
        #expect(row["is_chosen_rate"] == (run.learningRate == 0.01 ? "true" : "false"))
      }
    }
    #expect(place == rows.count)
  }

  /// Mean and t·s/√n of differences seed by seed; of three seeds t is 4.302653.
  @Test func pairedDifferences() throws {
    let table = try table("comparisons", of: study)
    #expect(table.rows.map { $0[0] } == ["RNGD − Adam <b> & \"co\"", "RNGD − SGD"])
    for (row, other) in zip(table.rows, ["Adam <b> & \"co\"", "SGD"]) {
      let pairs = chosen("RNGD").map { run in (run, chosen(other).first { $0.seed == run.seed }!) }
      func cell(_ scale: Double, _ digits: Int, _ value: (RunRecord) -> Double) -> String {
        let differences = pairs.map { scale * (value($0) - value($1)) }
        let mean = (differences[0] + differences[1] + differences[2]) / 3
        let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let half = 4.302653 * (squares / 2 / 3).squareRoot()
        func f(_ number: Double) -> String { String(format: "%+.\(digits)f", number) }
        return "\(f(mean))\n[\(f(mean - half)), \(f(mean + half))]"
      }
      #expect(
        row[1...] == [
          "3", cell(1, 4) { $0.epochs[0].trainLoss }, cell(1, 4) { $0.epochs[7].trainLoss },
          cell(100, 2) { $0.testAccuracy! },
        ])
    }
  }

  /// On the straight line between two epochs' ends.
  @Test func timesToLosses() throws {
    let table = try table("times", of: study)
    #expect(table.heads == ["Optimizer", "Loss 0.4", "Loss 0.3"])
    for row in table.rows {
      for (column, loss) in [0.4, 0.3].enumerated() {
        let runs = chosen(row[0])
        let times: [(Double, Double)] = runs.compactMap { run in
          guard let after = run.epochs.first(where: { $0.trainLoss <= loss }), after.epoch > 1 else { return nil }
          let before = run.epochs[after.epoch - 2]
          // (losses fall: how much of each end's there is)
          let (a, b) = (loss - after.trainLoss, before.trainLoss - loss)
          return (
            (a * Double(before.epoch) + b * Double(after.epoch)) / (a + b),
            (a * before.seconds + b * after.seconds) / (a + b)
          )
        }
        let n = Double(times.count)
        let expected =
          times.isEmpty
          ? "–\n0 of 3"
          : String(
            format: "%.2f epochs\n%.2f s\n\(times.count) of 3", times.reduce(0) { $0 + $1.0 } / n,
            times.reduce(0) { $0 + $1.1 } / n)
        #expect(row[column + 1] == expected, "\(row[0]), \(loss)")
      }
    }
    // A loss that is just reached is reached.
    var run = ReportLog.runs[0]
    run.epochs = Array(run.epochs.prefix(3))
    for (index, loss) in [0.8, 0.5, 0.25].enumerated() { run.epochs[index].trainLoss = loss }
    #expect(TimeToLoss(loss: 0.25, runs: [run]).epochs == 3 && TimeToLoss(loss: 0.5, runs: [run]).epochs == 2)
  }

  @Test func memoryAndRates() throws {
    let results = try table("results", of: study)
    #expect(results.heads.last == "Memory, MB" && results.rows.map { $0.last } == ["12.3", "12.3", "12.3"])
    let rates = try table("rates", of: study)
    for row in rates.rows {
      let accuracy = 100 * chosen(row[0]).reduce(0) { $0 + ($1.epochs[7].validationAccuracy ?? .nan) } / 3
      #expect(row[1].hasPrefix("0.01 * (at the edge") && row[2] == String(format: "%.2f %%", accuracy))
      #expect(row[3].hasPrefix(String(format: "0.01: %.2f %% (3 runs)\n0.1: ", accuracy)))
    }
  }

  /// Means over the runs of how often the region bound, of 30 epochs 12, the first and the last among them.
  @Test func boundSteps() throws {
    let runs = (0..<3).map { seed in
      var run = ReportLog.runs[seed]
      run.epochs = (1...30).map { epoch in
        var one = run.epochs[0]
        one.epoch = epoch
        one.bound = ["layer 1": Double(epoch) / 100 * [1, 2, 3][seed], "layer 2": seed == 0 ? 0.125 : 0]
        return one
      }
      return run
    }
    let table = try table("bounds", of: Study(headers: [], runs: runs))
    let epochs = table.heads.dropFirst(2).map { Int($0.split(separator: " ")[1])! }
    #expect(epochs.count == 12 && epochs.first == 1 && epochs.last == 30 && epochs == epochs.sorted())
    #expect(Array(table.rows[0][2...]) == epochs.map { "\(2 * $0).0 %" })
    #expect(Array(table.rows[1][2...]) == epochs.map { _ in "4.2 %" })
  }

  /// Medians of measured ÷ predicted over the runs, events, and the mean dimension.
  @Test func diagnostics() throws {
    let runs = [(0.5, 1, 10.0), (3, 0, 20), (1.25, 5, 60)].enumerated().map { seed, one in
      var run = ReportLog.runs[seed]
      run.divergences = [.init(epoch: 1, layers: [.init(name: "layer 1", predicted: 0.2, measured: 0.2 * one.0)])]
      run.dampingEvents = one.1
      run.effectiveDimensions = [.init(name: "layer 1", order: 65, dimension: one.2)]
      return run
    }
    let study = Study(headers: [], runs: runs)
    #expect(try table("divergences", of: study).rows == [["RNGD", "layer 1", "1.25"]])
    #expect(try table("damping", of: study).rows == [["RNGD", "6", "2 of 3"]])
    #expect(try table("dimensions", of: study).rows == [["RNGD", "layer 1", "65", "30.0"]])
  }

  /// Who is first by seconds may be last by epochs; who has not reached a loss with all seeds says with how many.
  @Test func races() throws {
    func runs(_ optimizer: String, _ losses: [[Double]], seconds: Double) -> [RunRecord] {
      losses.enumerated().map { seed, losses in
        var run = ReportLog.runs[0]
        (run.optimizer, run.seed, run.arguments) = (optimizer, UInt64(seed), "--optimizer \(optimizer) \(seed)")
        run.epochs = losses.enumerated().map { index, loss in
          var epoch = run.epochs[0]
          (epoch.epoch, epoch.trainLoss, epoch.seconds) = (index + 1, loss, seconds * Double(index + 1))
          return epoch
        }
        return run
      }
    }
    let study = Study(
      headers: [ReportLog.header],
      runs: runs("rngd", [[0.4, 0.35], [0.4, 0.35]], seconds: 10) + runs("sgd", [[0.6, 0.4], [0.6, 0.4]], seconds: 2)
        + runs("adam", [[0.6, 0.4], [0.6, 0.5]], seconds: 1))
    let sentences = Summary(try #require(study.networks.first)).sentences
    #expect(
      sentences.contains(
        "First at a training loss of 0.4: sgd, in 4.00 s of training; rngd in 10.00 s, adam with 1 of 2 seeds."),
      "\(sentences)")
    #expect(sentences.first == "Lowest final training loss: rngd (0.3500), then sgd (0.4000), then adam (0.4500).")
  }

  @Test func overview() {
    #expect(study.failures.count == 2 && ReportLog.runs.count == 36)
    #expect(
      study.overview.hasPrefix(
        "36 runs of 2 networks, 3 optimizers and 3 seeds; 2 of them failed. Learning rates are chosen"),
      "\(study.overview)")
    // Two seeds choose, and the others are wanted at one rate: 2 × 3 × (2 × 2 + 3), of which seeds 0 and 1 are there.
    var header = ReportLog.header
    (header.grid.selectionSeeds, header.grid.seeds) = (2, 5)
    let some = ReportLog.runs.filter { $0.seed < 2 }
    #expect(some.count == 24 && Study(headers: [header], runs: some).unfinished == 6 * 7 - 24)
  }

  /// A training log's own numbers in its record.
  @Test func trainingLog() throws {
    let event = #"{"event":"raised damping","step":3}"#
    let lines = [
      event, ReportLineTests.epoch(1), event, event, #"{"event":"went back","step":8}"#, ReportLineTests.test,
    ]
    let log = try TrainingLog(
      try FisherKitTool.LogLines(Data(lines.joined(separator: "\n").utf8), path: "a"), path: "a", name: "a")
    let record = log.record
    #expect(record.dampingEvents == 4 && record.testLoss == 1 && record.testAccuracy == 0.25)
    #expect(record.memoryBytes == 3_000_000 && record.epochs.map(\.step) == [9] && record.epochs[0].trainError == 0.5)
  }
}
