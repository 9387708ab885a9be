import FisherKit
import Testing

@Suite struct TrainingTests {
  private static let data = Result { try SyntheticData.make(seed: 0) }

  private func train(
    _ optimizer: any Optimizer<Float>, epochs: Int = 2, seed: UInt64 = 0, batch: Int = 50
  ) throws -> (reports: [EpochReport], test: Score, events: Int) {
    let data = try Self.data.get()
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 80, 80, 80, data.classes], activation: Relu(), batchCapacity: 500, seed: seed)
    let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: batch, seed: seed)
    var reports: [EpochReport] = []
    var steps = 0
    let test = try trainer.run(epochs: epochs) { event in
      switch event {
      case .epoch(let report): reports.append(report)
      case .step: steps += 1
      case .survived(let incident): Issue.record("\(incident)")
      case .began, .evaluated, .stoppedEarly, .finished: break
      }
    }
    return (reports, test, steps)
  }

  private func rngd(_ metric: any Metric) throws -> RNGD<Float> {
    try RNGD(
      metric: metric, learningRate: 0.01, damping: 0.005,
      schedule: RefreshSchedule(interval: 100, startsEarly: false), trustRegion: .off, decay: .l2(1e-3))
  }

  /// As it is where nobody chooses anything but the metric.
  @Test func usualSettings() throws {
    let (reports, test, _) = try train(try RNGD<Float>(metric: ExactMetric(), decay: .l2(1e-3)))
    #expect(reports[1].training.loss < 0.82 && test.accuracy ?? 0 > 0.65, "\(reports[1]), \(test)")
    #expect(reports.allSatisfy { $0.bounds.map(\.name) == ["layer 1", "layer 2", "layer 3", "layer 4"] })
  }

  /// The loss of a class chosen blindly is ln 10 = 2.30. Two epochs of the exact metric bring it to 0.54; Adam's two
  /// to 1.14.
  @Test func exactMetricReachesLoss() throws {
    let (reports, test, steps) = try train(try rngd(ExactMetric()))
    #expect(reports.map(\.epoch) == [1, 2])
    #expect(reports.map(\.step) == [200, 400] && steps == 400)
    #expect(reports[1].training.loss < 0.60)
    #expect(reports[1].training.loss < reports[0].training.loss)
    #expect(reports[1].validation.accuracy ?? 0 > 0.72 && test.accuracy ?? 0 > 0.72)
    #expect(reports[0].seconds > 0 && reports[1].seconds > reports[0].seconds)
  }

  @Test func everyOptimizerLearns() throws {
    let bounds: [(any Optimizer<Float>, Double)] = [
      (try rngd(SharedMetric()), 0.85), (try rngd(PaperMetric()), 1.75),
      (try SGD(learningRate: 0.1, decay: .l2(1e-3)), 1.15),
      (try Momentum(learningRate: 0.01, decay: .l2(1e-3)), 1.15),
      (try Adam(learningRate: 5e-4, decay: .l2(1e-3)), 1.30),
    ]
    for (optimizer, bound) in bounds {
      let loss = try train(optimizer).reports[1].training.loss
      #expect(loss < bound, "\(optimizer.name): \(loss)")
    }
  }

  @Test func sameSeedSameNumbers() throws {
    func losses(seed: UInt64) throws -> [Double] {
      let (reports, test, _) = try train(try rngd(ExactMetric()), seed: seed)
      return reports.flatMap { [$0.training.loss, $0.training.accuracy ?? 0, $0.validation.loss] } + [test.loss]
    }
    let first = try losses(seed: 4)
    #expect(try losses(seed: 4) == first)
    #expect(try losses(seed: 5) != first)
  }

  /// 10,000 samples in batches of 96: the last has 16.
  @Test func lastBatchIsSmaller() throws {
    let (reports, _, steps) = try train(try rngd(ExactMetric()), epochs: 1, batch: 96)
    #expect(steps == 105 && reports[0].step == 105)
    #expect(reports[0].training.loss < 1)
  }

  /// Fewer samples than inputs in the first window and no damping: what rounding needs is there all the same.
  @Test func rankDeficientWithoutDamping() throws {
    let (reports, _, _) = try train(try RNGD<Float>(metric: ExactMetric(), learningRate: 0.01, damping: 0.0))
    #expect(reports[1].training.loss < 1, "\(reports)")
  }

  /// Steps that are much too long end in an error with its step, not in a NaN, once the weights have gone back as often as
  /// they may.
  @Test func divergenceIsFound() throws {
    let data = try Self.data.get()
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 20, data.classes], activation: Relu(), batchCapacity: 500)
    let trainer = try Trainer(model: model, optimizer: try SGD(learningRate: 1e30), data: data, batchSize: 50)
    var rates: [Double] = []
    let error = failure(of: {
      try trainer.run(epochs: 2) {
        if case .survived(let incident) = $0, incident.remedy == .wentBack { rates.append(incident.learningRate ?? 0) }
      }
    })
    guard case .diverged(let step, _, timesBack: 10)? = error as? FisherError else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(step > 10 && step < 200 && rates == (1...10).map { 1e30 / Double(1 << $0) }, "\(step), \(rates)")
  }

  @Test func networkThatDoesNotFit() throws {
    let data = try SyntheticData.make(training: 100, validation: 10, test: 10)
    for (shape, expected) in [([63, 10], "63 features"), ([64, 9], "at most 9 classes")] {
      let model = try Sequential<Float>.perceptron(shape: shape, activation: Relu(), batchCapacity: 10)
      let error = failure(of: {
        _ = try Trainer(model: model, optimizer: try SGD(learningRate: 1), data: data, batchSize: 10)
      })
      #expect((error as? DataError)?.expected.hasPrefix(expected) ?? false, "\(String(describing: error))")
    }
  }

  /// What a callback throws ends the run.
  @Test func callbackCanStop() throws {
    struct Stop: Error {}
    let data = try SyntheticData.make(training: 100, validation: 10, test: 10)
    let model = try Sequential<Float>.perceptron(shape: [64, 10], activation: Relu(), batchCapacity: 10)
    let trainer = try Trainer(model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: 10)
    #expect(throws: Stop.self) { try trainer.run(epochs: 1) { if case .step = $0 { throw Stop() } } }
  }
}
