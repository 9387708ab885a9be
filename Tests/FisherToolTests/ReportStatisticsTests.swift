import FisherKitToolSupport
import Testing

@testable import FisherKitTool

/// The statistics of `fisher report`, by values worked out by hand.
@Suite struct ReportStatisticsTests {
  /// The quantiles of printed tables.
  @Test(arguments: [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)])
  func studentT(degrees: Int, expected: Double) {
    #expect(abs(StudentT(degrees: degrees).quantile(central: 0.95) - expected) < 6e-4)
  }

  @Test func spread() throws {
    let spread = try #require(Spread([1, 2, 6]))
    #expect(spread.count == 3 && spread.mean == 3 && spread.smallest == 1 && spread.largest == 6)
    // (4 + 1 + 9)/2 = 7
    #expect(try abs(#require(spread.deviation) - 2.6457513) < 1e-6)
    // 4.302653 √7/√3
    #expect(try abs(#require(spread.confidence) - 6.572410) < 1e-5)
    #expect(Spread([]) == nil && Spread([4])?.deviation == nil && Spread([4])?.confidence == nil)
    #expect(median([]) == nil && median([3, 1, 9]) == 3 && median([4, 1, 9, 2]) == 3)
  }

  private func run(_ losses: [Double], seed: UInt64 = 0, optimizer: String = "a", flags: String = "") -> RunRecord {
    let epochs = losses.enumerated().map { index, loss in
      RunRecord.Epoch(
        epoch: index + 1, step: 0, seconds: Double(index + 1) * 10, trainLoss: loss, trainError: loss / 2,
        validationLoss: loss, validationAccuracy: 1 - loss)
    }
    return RunRecord(
      network: "n", optimizer: optimizer, learningRate: 0.1, seed: seed, arguments: "\(flags) \(optimizer) \(seed)",
      version: "1", threads: 1, level: "generic", epochs: epochs, testLoss: losses.last,
      testAccuracy: losses.last.map { 1 - $0 }, memoryBytes: 0, dampingEvents: 0, divergences: [],
      effectiveDimensions: [], failure: nil)
  }

  @Test func naturalGradientsAreKnownByTheirFlags() {
    for (flags, expected) in [
      ("--optimizer rngd", true), ("--optimizer=rngd --lr 1", true), ("--batch 50", true), ("--optimizer sgd", false),
      ("--optimizer sgd --optimizer rngd", true), ("training.jsonl", false),
    ] {
      let result = OptimizerResult(
        network: "n", optimizer: "a", allRuns: [run([0.5], flags: flags)], losses: [])
      #expect(result.isNaturalGradient == expected, "\(flags)")
    }
  }

  @Test func timeToALoss() throws {
    let runs = [run([0.8, 0.4, 0.2]), run([0.5, 0.45, 0.4], seed: 1)]
    // a quarter before the end of epoch 2
    let time = TimeToLoss(loss: 0.5, runs: [runs[0]])
    #expect(try abs(#require(time.epochs) - 1.75) < 1e-12 && abs(#require(time.seconds) - 17.5) < 1e-12)
    // the first epoch counts whole
    #expect(TimeToLoss(loss: 0.9, runs: runs) == TimeToLoss(loss: 0.9, runs: runs.reversed()))
    #expect(TimeToLoss(loss: 0.9, runs: runs).epochs == 1 && TimeToLoss(loss: 0.9, runs: runs).reached == 2)
    let some = TimeToLoss(loss: 0.3, runs: runs)
    #expect(try some.reached == 1 && some.runs == 2 && abs(#require(some.epochs) - 2.5) < 1e-12)
    let none = TimeToLoss(loss: 0.1, runs: runs)
    #expect(none.reached == 0 && none.epochs == nil && none.seconds == nil)
  }

  /// Over the seeds that both have: 0 and 1, not 2 and 3.
  @Test func pairs() throws {
    let natural = [0.30, 0.20, 0.10].enumerated().map {
      run([0.6, $1], seed: UInt64($0), optimizer: "natural", flags: "--optimizer rngd")
    }
    let other = [0.35, 0.35, 0.9].enumerated().map { run([0.7, $1], seed: [0, 1, 3][$0], optimizer: "other") }
    let results = [natural, other].map {
      OptimizerResult(network: "n", optimizer: $0[0].optimizer, allRuns: $0, losses: [])
    }
    let pairs = PairedComparison.all(results)
    try #require(pairs.count == 1)
    #expect(pairs[0].first == "natural" && pairs[0].second == "other")
    let loss = try #require(pairs[0].trainLoss)
    #expect(loss.count == 2 && abs(loss.mean - -0.1) < 1e-12)
    // differences −0.05 and −0.15: s = 0.0707107, 12.7062 s/√2
    #expect(try abs(#require(loss.confidence) - 0.63531) < 1e-4)
    #expect(try abs(#require(pairs[0].testAccuracy).mean - 0.1) < 1e-12)
    #expect(try abs(#require(pairs[0].firstEpochLoss).mean - -0.1) < 1e-12)
  }

  /// Failed runs are counted, and are in no mean.
  @Test func failed() throws {
    var runs = [run([0.5, 0.3]), run([0.5, 0.2], seed: 1), run([9], seed: 2)]
    (runs[2].failure, runs[2].testAccuracy) = ("a loss of NaN", nil)
    let result = OptimizerResult(network: "n", optimizer: "a", allRuns: runs, losses: [0.4])
    #expect(result.failed == 1 && result.runs.count == 3 && result.trainLoss?.count == 2)
    #expect(try abs(#require(result.trainLoss?.mean) - 0.25) < 1e-12)
    #expect(result.times[0].reached == 2 && result.times[0].runs == 3)
    // 0.7, 0.8 and 0 for the failed one
    #expect(try abs(#require(result.rates[0].validationAccuracy) - 0.5) < 1e-12)
    let none = OptimizerResult(network: "n", optimizer: "a", allRuns: [runs[2]], losses: [0.4])
    #expect(none.selection == nil && none.runs.isEmpty && none.rates[0].failed == 1)
  }

  /// Not even the best mean over what failures left is in the lead.
  @Test func survivorsDoNotLead() throws {
    var runs = [run([0.5, 0.1], optimizer: "b"), run([9], seed: 1, optimizer: "b")]
    runs[1].failure = "a loss of NaN"
    runs += [run([0.5, 0.3]), run([0.5, 0.2], seed: 1)]
    let study = Study(headers: [], runs: runs)
    let text = Summary(try #require(study.networks.first)).sentences.joined(separator: " ")
    #expect(text.contains("Lowest final training loss: a (0.2500), then b (0.1000, 1 of 2 runs)."), "\(text)")
  }

  @Test func ticks() throws {
    let linear = try #require(Axis("", over: [0, 1], room: 0))
    #expect(linear.ticks.map(Axis.text) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    let log = try #require(Axis("", over: [0.9, 110], isLogarithmic: true, room: 0))
    #expect(log.ticks.map(Axis.text) == ["1", "2", "5", "10", "20", "50", "100"])
    #expect(abs(log.position(of: 9.9498743710662) - 0.5) < 1e-12 && log.position(of: 0) == 0)
    #expect(Axis("", over: [0, -1], isLogarithmic: true) == nil)
    #expect(try #require(Axis("", over: [3])).ticks.count > 1)
  }
}
