import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// What an experiment records, chooses and estimates, worked out by itself.
@Suite struct ExperimentNumberTests {
  private let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 5e10, call: 1e-6)

  private func grid(_ optimizer: String, rate: Double = 0.01, epochs: Int = 2) -> ExperimentGrid {
    ExperimentGrid(
      name: "g", flags: "--data synthetic --validation 200 --batch 500 --epochs \(epochs)",
      networks: [.init(name: "n", flags: "--shape 64,6,10")],
      optimizers: [.init(name: "o", flags: "--optimizer \(optimizer)", learningRates: [rate])], selectionSeeds: 1,
      seeds: 1, losses: [0.5])
  }

  /// A record has the numbers of a trainer that is run beside it.
  @Test(arguments: [("rngd", 0.01), ("sgd", 0.1), ("sgd", 1e20)]) func record(optimizer: String, rate: Double) throws {
    let cell = try #require(grid(optimizer, rate: rate).selectionCells.first)
    let training = try cell.training()
    let data = try SyntheticData.make(validation: 200, seed: 0)
    let found = try CellRun(cell: cell, training: training, data: data, costs: costs).record()
    let trainer = try training.makeTrainer(data: data, costs: costs)
    var reports: [EpochReport] = []
    var survived = 0
    let test = try? trainer.run(epochs: 2) { event in
      if case .epoch(let report) = event { reports.append(report) }
      if case .survived = event { survived += 1 }
    }
    #expect((test == nil) == (rate == 1e20) && (found.failure != nil) == (rate == 1e20))
    #expect(found.dampingEvents == survived && (survived > 0) == (rate == 1e20))
    #expect(found.testLoss == test?.loss && found.testAccuracy == test?.accuracy)
    #expect(found.memoryBytes == trainer.model.bytes + trainer.optimizer.bytes + recoveryBytes(trainer))
    #expect(found.epochs.count == reports.count)
    for (epoch, report) in zip(found.epochs, reports) {
      #expect(epoch.epoch == report.epoch && epoch.step == report.step && epoch.trainLoss == report.training.loss)
      let accuracy = try #require(report.training.accuracy)
      #expect(epoch.trainError == 1 - accuracy && epoch.validationLoss == report.validation.loss)
      #expect(epoch.validationAccuracy == report.validation.accuracy)
    }
    guard optimizer == "rngd" else { return #expect(found.effectiveDimensions.isEmpty) }
    // Over the first 200 samples that it was trained with.
    let dimensions = try trainer.model.effectiveDimensions(of: data.samples, 0..<200, damping: .usual)
    #expect(found.effectiveDimensions.map(\.dimension) == dimensions.map(\.dimension))
    #expect(found.effectiveDimensions.map(\.order) == [65, 7])
  }

  /// The last good weights: 6·65 and 10·7 floats, in rows of whole cache lines.
  private func recoveryBytes(_ trainer: Trainer<Float>) -> Int {
    trainer.plan.modelBytes - trainer.model.bytes
  }

  /// The line of a run has the numbers of its last epoch.
  @Test func printedRun() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    let (path, log) = (folder.file("grid.json"), folder.file("log.jsonl"))
    try grid("sgd", rate: 0.1).json().write(toFile: path, atomically: true, encoding: .utf8)
    let result = try Tool.run(["experiment", path, "--log", log])
    let last = try #require(try SmallExperiment.records(log).first?.epochs.last)
    let (error, accuracy) = (try #require(last.trainError), try #require(last.validationAccuracy))
    #expect(last.epoch == 2 && accuracy != 1 - error)
    let words = String(
      format: "train loss %.4f, validation %.2f%%", last.trainLoss, accuracy * 100)
    #expect(result.output.contains("1/1  n  o  0.1  seed 0  \(words)\n"), "\(result)")
  }

  @Test func times() {
    for (seconds, expected) in [
      (0.3, "a second"), (1.4, "1 s"), (99.4, "99 s"), (100, "2 min"), (149, "2 min"), (151, "3 min"),
      (5969, "99 min"), (5999, "100 min"), (6000, "1.7 h"), (9000, "2.5 h"), (86_400, "24.0 h"),
    ] { #expect(ExperimentView.time(seconds) == expected, "\(seconds)") }
  }

  /// What is left is shared among as many jobs as there are runs, and corrected by what runs have taken.
  @Test func estimates() throws {
    let grid = grid("sgd")
    var estimate = try ExperimentEstimate(grid: grid, data: ExperimentData(), costs: costs)
    let cell = grid.selectionCells[0]
    let one = estimate.seconds(of: [cell], jobs: 1)
    #expect(one > 0 && estimate.seconds(of: [], jobs: 3) == 0)
    func isNear(_ found: Double, _ expected: Double) -> Bool { abs(found - expected) < 1e-9 * expected }
    #expect(isNear(estimate.seconds(of: [cell], jobs: 8), one))
    #expect(isNear(estimate.seconds(of: [cell, cell, cell, cell], jobs: 2), 2 * one))
    estimate.note(cell, took: 3 * one)
    #expect(isNear(estimate.seconds(of: [cell], jobs: 1), 3 * one))
    estimate.note(cell, took: one)
    #expect(isNear(estimate.seconds(of: [cell], jobs: 1), 2 * one))
    // (a million epochs take longer than one by more than noise)
    let long = self.grid("sgd", epochs: 1_000_000)
    let longer = try ExperimentEstimate(grid: long, data: ExperimentData(), costs: costs)
    #expect(longer.seconds(of: long.selectionCells, jobs: 1) > 1000 * one)
  }

  /// Each rate with the seeds that choose, and the others at one rate: counted one by one.
  @Test func runs() {
    for (seeds, selection) in [(3, 2), (5, 1), (4, 4)] {
      var grid = ExperimentGrid.paper
      (grid.seeds, grid.selectionSeeds) = (seeds, selection)
      let chosen = grid.networks.flatMap { network in
        grid.optimizers.flatMap { grid.chosenCells(network, $0, learningRate: $0.learningRates[0]) }
      }
      #expect(grid.runCount == grid.selectionCells.count + chosen.count, "\(seeds), \(selection)")
      #expect(Set((grid.selectionCells + chosen).map(\.arguments)).count == grid.runCount)
    }
  }

  /// The paper's experiment: 40 seeds, 15 epochs in mini-batches of 50, λ = 0.005 and T = 100, and rates around the usual
  /// ones.
  @Test func paper() {
    let grid = ExperimentGrid.paper
    #expect(grid.flags == "--data fashion-mnist --activation relu --batch 50 --l2 0.001 --epochs 15")
    #expect(
      grid.networks.map(\.flags).map { $0.split(separator: " ").dropFirst().joined(separator: " ") } == [
        "784,80,80,80,10", "784,80,80,80,10 --batch-norm", "784,100,100,100,10", "784,100,100,100,10 --batch-norm",
      ])
    #expect(
      grid.optimizers.map(\.learningRates) == [
        [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005], [0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
        [0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00005], [0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00005],
        [0.05, 0.02, 0.01, 0.005, 0.002, 0.001], [0.05, 0.02, 0.01, 0.005, 0.002], [0.05, 0.02, 0.01, 0.005, 0.002],
      ])
    #expect(grid.optimizers[5].flags.hasSuffix("--damping 0.005 --refresh 100 --trust-region 0 --no-early-refreshes"))
    #expect(grid.seeds == 40 && grid.selectionSeeds == 40 && grid.losses == [0.5, 0.4, 0.3, 0.27, 0.25])
    // 40 seeds of 4 networks at 7 + 6 + 6 + 6 + 6 + 5 + 5 rates
    #expect(grid.runCount == 6560 && ExperimentGrid.quick.runCount == 4 * 14 * 2)
  }

  private func run(_ rate: Double, _ accuracies: [Double], seed: UInt64 = 0) -> RunRecord {
    let epochs = accuracies.enumerated().map { index, accuracy in
      RunRecord.Epoch(
        epoch: index + 1, step: 0, seconds: 1, trainLoss: 1, trainError: 0, validationLoss: 1,
        validationAccuracy: accuracy)
    }
    return RunRecord(
      network: "n", optimizer: "o", learningRate: rate, seed: seed, arguments: "\(rate) \(seed)", version: "1",
      threads: 1, level: "generic", epochs: epochs, testLoss: 1, testAccuracy: 1, memoryBytes: 0, dampingEvents: 0,
      divergences: [], effectiveDimensions: [], failure: nil)
  }

  /// By the mean after the last epoch; of equal rates the smallest; and whether better ones may lie beyond.
  @Test func selection() throws {
    func chosen(_ last: [Double]) throws -> (rate: Double, isAtTheEdge: Bool) {
      let runs = last.enumerated().flatMap { index, accuracy in
        [
          run([0.1, 0.2, 0.4][index], [0.9 - accuracy, accuracy]),
          run([0.1, 0.2, 0.4][index], [0, accuracy], seed: 1),
        ]
      }
      let selection = try #require(Selection(of: runs))
      #expect(selection.validationAccuracy == last.max())
      return (selection.learningRate, selection.isAtTheEdge)
    }
    for (last, rate, edge) in [
      ([0.5, 0.6, 0.4], 0.2, false), ([0.7, 0.6, 0.4], 0.1, true), ([0.5, 0.6, 0.8], 0.4, true),
      ([0.5, 0.75, 0.75], 0.2, false), ([0.75, 0.5, 0.75], 0.1, true), ([0.5], 0.1, false),
    ] {
      let found = try chosen(last)
      #expect(found.rate == rate && found.isAtTheEdge == edge, "\(last)")
    }
  }
}
