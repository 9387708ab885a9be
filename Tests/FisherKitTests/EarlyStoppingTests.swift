import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Measures of one's own, and training that ends by them.
@Suite struct EarlyStoppingTests {
  /// Labels of three kinds, by thresholds of features.
  private let data: DataSplit
  private let inputs = 4
  private let outputs = 3

  init() throws {
    var generator = SplitMix64(seed: 6)
    func set(_ count: Int) -> Dataset {
      let features = generator.normal(4 * count).map { Float($0) }
      let labels: [Float] = (0..<(3 * count)).map { place in
        let first = place / 3 * 4 + place % 3
        return features[first] + 0.5 * features[first + 1] > 0.1 ? 1 : 0
      }
      return Dataset(features: .floats(features), targets: .numbers(labels, width: 3), width: 4)
    }
    data = try DataSplit(name: "labels", samples: set(173), validationCount: 53, test: set(31))
  }

  private func trainer(
    measures: [any Measure] = [], _ stopping: EarlyStopping?, rate: Double = 0.3, seed: UInt64 = 0
  ) throws -> (Trainer<Double>, Sequential<Double>) {
    let loss = BernoulliCrossEntropy()
    let model = try Sequential<Double>.perceptron(
      shape: [inputs, 6, outputs], activation: Tanh(), batchNormalization: .init(decay: 0.8), loss: loss,
      batchCapacity: 20, seed: 4)
    let trainer = try Trainer(
      model: model, optimizer: try Momentum(learningRate: rate), data: data, batchSize: 10, loss: loss,
      measures: measures, stopping: stopping, seed: seed)
    return (trainer, model)
  }

  /// What a measure says after each epoch, which epochs there are, and which one is best.
  private static let courses:
    [(values: [Double], patience: Int, leastGain: Double, isBetterLarger: Bool, epochs: Int, best: Int)] = [
      ([5, 4, 4.5, 3.9, 3.95, 3.92, 1, 1], 2, 0, false, 6, 4),
      ([5, 4, 4.5, 3.9, 3.95, 3.92, 1, 1], 1, 0, false, 3, 2),
      ([5, 4, 4.5, 3.9, 3.95, 3.92, 1, 1], 2, 0.2, false, 4, 2),
      // (as good is not better; better by the least gain exactly is not either)
      ([3, 3, 3, 3, 3, 3, 3, 3], 3, 0, false, 4, 1), ([8, 7.5, 7, 6.5, 6, 5.5, 5, 4], 1, 0.5, false, 2, 1),
      ([1, 2, 1, 3, 2, 2, 2, 2], 2, 0, true, 6, 4), ([1, 2, 3, 4, 5, 6, 7, 8], 1, 0, false, 2, 1),
      // (what is no number is never best)
      ([.nan, .nan, 2, 3, 4, 1, 1, 1], 2, 0, false, 5, 3), ([2, .nan, .nan, 1, 1, 1, 1, 1], 2, 0, false, 3, 1),
      // (the epochs end first, and the best one is put back all the same)
      ([5, 4, 3, 2, 1, 2, 3, 4], 9, 0, false, 8, 5), ([1, 2, 3, 4, 5, 6, 7, 8], 9, 0, true, 8, 8),
    ]

  @Test(arguments: courses.indices) func course(index: Int) throws {
    let course = Self.courses[index]
    let (trainer, model) = try trainer(
      measures: [Scripted(course.values), RootMeanSquare()],
      EarlyStopping(
        watching: .measure("script", isBetterLarger: course.isBetterLarger), patience: course.patience,
        leastGain: course.leastGain))
    var (states, means, events): ([SavedState], [[Double]], [String]) = ([], [], [])
    func statistics() -> [Double] {
      model.layers.compactMap { $0 as? BatchNormalization<Double> }
        .flatMap { $0.runningMean.numbers + $0.runningVariance.numbers }
    }
    let test = try trainer.run(epochs: 8) { event in
      switch event {
      case .epoch(let report):
        states.append(try SavedState(of: model))
        means.append(statistics())
        events.append("epoch \(report.epoch)")
      case .stoppedEarly(let epoch, let best): events.append("stopped after \(epoch), best \(best)")
      case .finished: events.append("finished")
      case .began, .step, .evaluated, .survived: break
      }
    }
    let ends = course.epochs < 8 || course.patience < 9 ? ["stopped after \(course.epochs), best \(course.best)"] : []
    #expect(events == (1...course.epochs).map { "epoch \($0)" } + ends + ["finished"], "\(course)")
    #expect(trainer.epochsDone == course.epochs)
    #expect(try SavedState(of: model) == states[course.best - 1], "\(course)")
    #expect(statistics() == means[course.best - 1] && Set(means).count == means.count)
    #expect(try trainer.evaluate(data.test, 0..<data.test.count) == test)
    // One that is over trains no more.
    guard !ends.isEmpty else { return }
    var steps = 0
    let again = try trainer.run(epochs: 3) { if case .step = $0 { steps += 1 } }
    #expect(again == test && steps == 0)
  }

  /// By the validation loss, as it is without a word; and the weights of a run of so many epochs without stopping.
  @Test func byTheLoss() throws {
    let (trainer, model) = try trainer(EarlyStopping(patience: 3), rate: 3)
    var losses: [Double] = []
    try trainer.run(epochs: 60) { if case .epoch(let report) = $0 { losses.append(report.validation.loss) } }
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(losses.count == best + 4 && losses.count < 60, "\(losses)")
    let (plain, other) = try self.trainer(nil, rate: 3)
    try plain.run(epochs: best + 1)
    #expect(try SavedState(of: model) == SavedState(of: other))
    // What is held for it is planned.
    let held = trainer.plan.modelBytes - plain.plan.modelBytes
    #expect(held >= model.parameters.reduce(0) { $0 + 8 * $1.neurons * $1.order } && held < 1 << 13, "\(held)")
  }

  /// Saved in the middle and restored in another trainer, it knows the best epoch and how long it has waited.
  @Test(arguments: [1, 2, 4, 7]) func goesOn(after epoch: Int) throws {
    let (one, model) = try trainer(EarlyStopping(patience: 4), rate: 3)
    var saved: SavedState?
    var events: [String] = []
    try one.run(epochs: 40) { event in
      if case .epoch(let report) = event, report.epoch == epoch { saved = try SavedState(of: one) }
      if case .stoppedEarly(let epoch, let best) = event { events.append("\(epoch), \(best)") }
    }
    #expect(one.epochsDone >= 7 && events.count == 1, "\(one.epochsDone)")
    let (other, again) = try trainer(EarlyStopping(patience: 4), rate: 1, seed: 8)
    try other.run(epochs: 2)
    try #require(saved).restore(other)
    try other.run(epochs: 40 - epoch) { event in
      if case .stoppedEarly(let epoch, let best) = event { events.append("\(epoch), \(best)") }
    }
    #expect(events.count == 2 && events.first == events.last, "\(events)")
    #expect(try SavedState(of: model) == SavedState(of: again))
  }

  @Test func refusals() throws {
    for (stopping, words) in [
      (EarlyStopping(patience: 0), "patience: expected 1 epoch or more, found 0"),
      (EarlyStopping(patience: 1, leastGain: -1), "least gain: expected a number from 0 up, found -1.0"),
      (EarlyStopping(patience: 1, leastGain: .nan), "least gain: expected a number from 0 up, found nan"),
      (
        EarlyStopping(watching: .measure("rsm", isBetterLarger: false), patience: 1),
        "early stopping: expected a measure of the trainer's: rms, script, found rsm"
      ),
    ] {
      let error = failure(of: { _ = try trainer(measures: [RootMeanSquare(), Scripted([])], stopping) })
      #expect((error as? FisherError)?.description == words, "\(error as Any)")
    }
    let twice = failure(of: { _ = try trainer(measures: [RootMeanSquare(), RootMeanSquare()], nil) })
    #expect((twice as? FisherError)?.description == "measures: expected names of their own, found rms, rms")
  }

  /// Measures over sets that no part divides, against what is made of the predictions by hand.
  @Test func measures() throws {
    let (trainer, model) = try trainer(measures: [RootMeanSquare(), Hamming()], nil)
    var report: EpochReport?
    try trainer.run(epochs: 1) { if case .epoch(let found) = $0 { report = found } }
    func byHand(_ set: Dataset, _ samples: Range<Int>) throws -> (rms: Double, hamming: Double, exact: Double) {
      guard case .numbers(let all, _) = set.targets else { return (.nan, .nan, .nan) }
      let t = all[samples.lowerBound * outputs..<samples.upperBound * outputs].map(Double.init)
      let p = try model.means(of: .bernoulli, set, samples)
      let z = try model.means(of: .normal(sigma: 1), set, samples)
      for (p, z) in zip(p, z) { #expect(abs(p - 1 / (1 + exp(-z))) < 1e-14) }
      let squares = zip(z, t).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let right = zip(p, t).map { ($0 > 0.5) == ($1 == 1) }
      let rows = (0..<samples.count).count { row in (0..<outputs).allSatisfy { right[row * outputs + $0] } }
      return (
        (squares / Double(samples.count)).squareRoot(), Double(right.count { $0 }) / Double(right.count),
        Double(rows) / Double(samples.count)
      )
    }
    let (validation, found) = (try byHand(data.samples, data.validation), try #require(report))
    #expect(Set(found.measures.keys) == ["rms", "hamming"])
    let rms = try #require(found.measures["rms"])
    #expect(abs(rms - validation.rms) < 1e-13)
    #expect(found.measures["hamming"] == validation.hamming && found.validation.accuracy == validation.exact)
    let held = try model.evaluate(data.test, 3..<29, loss: BernoulliCrossEntropy(), measures: [Hamming()])
    let expected = try byHand(data.test, 3..<29)
    #expect(held.measures == ["hamming": expected.hamming] && held.score.accuracy == expected.exact)
  }
}

/// √ of the mean over samples of ‖z − t‖².
struct RootMeanSquare: Measure {
  let name = "rms"
  let sums = 1

  func add<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>, to sums: inout [Double]) {
    for s in 0..<z.rows {
      for i in 0..<z.columns { sums[0] += pow(Double(z[s, i]) - Double(targets.numbers[s, i]), 2) }
    }
  }

  func value(_ sums: [Double], rows: Int) -> Double { (sums[0] / Double(rows)).squareRoot() }
}

/// The share of labels that are right.
private struct Hamming: Measure {
  let name = "hamming"
  let sums = 2

  func add<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>, to sums: inout [Double]) {
    for s in 0..<z.rows {
      for i in 0..<z.columns where (z[s, i] > 0) == (targets.numbers[s, i] > 0.5) { sums[0] += 1 }
    }
    sums[1] += Double(z.rows * z.columns)
  }

  func value(_ sums: [Double], rows: Int) -> Double { sums[0] / sums[1] }
}

/// Values that are known beforehand, one for each evaluation.
private final class Scripted: Measure, @unchecked Sendable {
  let name = "script"
  let sums = 0
  private let values: [Double]
  private var place = 0

  init(_ values: [Double]) { self.values = values }

  func add<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>, to sums: inout [Double]) {}

  func value(_ sums: [Double], rows: Int) -> Double {
    defer { place += 1 }
    return values[place]
  }
}
