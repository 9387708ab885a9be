import FisherKit
import Testing

/// What a trainer reports, and how it goes on after an error.
@Suite struct TrainerTests {
  private let data: DataSplit

  init() throws { data = try SyntheticData.make(training: 300, validation: 70, test: 50, seed: 1) }

  private func trainer(
    _ optimizer: any Optimizer<Float>, seed: UInt64 = 0, data: DataSplit? = nil
  ) throws -> Trainer<Float> {
    let data = data ?? self.data
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 12, data.classes], activation: Tanh(), batchCapacity: 40, seed: 7)
    return try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 20, seed: seed)
  }

  /// Each set's score is that set's, and the capacity of the model does not divide their sizes.
  @Test func scoresAreOfTheSetsTheyName() throws {
    let trainer = try trainer(try SGD(learningRate: 0.1))
    var reports: [EpochReport] = []
    let test = try trainer.run(epochs: 1) { if case .epoch(let report) = $0 { reports.append(report) } }
    let expected = [
      try trainer.evaluate(data.samples, 0..<300), try trainer.evaluate(data.samples, 300..<370),
      try trainer.evaluate(data.test, 0..<50),
    ]
    #expect([reports[0].training, reports[0].validation, test] == expected)
    #expect(expected[0] != expected[1] && expected[1] != expected[2] && expected[0] != expected[2])
  }

  /// From the same weights, the order of the samples decides where training goes.
  @Test func theSeedShuffles() throws {
    func weights(seed: UInt64) throws -> [[Double]] {
      let trainer = try trainer(try SGD(learningRate: 0.1), seed: seed)
      try trainer.run(epochs: 1)
      return trainer.model.parameters.map { $0.value.numbers }
    }
    let first = try weights(seed: 1)
    #expect(try weights(seed: 1) == first)
    #expect(try weights(seed: 2) != first)
  }

  /// A metric of a user's own whose every refresh fails and is survived.
  private struct FailingMetric: Metric {
    let name = "failing"

    func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
      FailingCurvature(site: site)
    }
  }

  private final class FailingCurvature<Scalar: KernelScalar>: Curvature {
    let site: CurvatureSite<Scalar>
    let bytes = 0
    init(site: CurvatureSite<Scalar>) { self.site = site }
    func observe(_ observed: borrowing Observation<Scalar>) {}
    func precondition(_ gradient: inout Matrix<Scalar>) {}
    func refresh() { site.report(.raisedDamping, neuron: 1, damping: 3) }
  }

  @Test func survivedFailuresAreReported() throws {
    let trainer = try trainer(
      try RNGD(metric: FailingMetric(), learningRate: 0.01, schedule: RefreshSchedule(interval: 6, startsEarly: false)))
    var found: [String] = []
    try trainer.run(epochs: 1) {
      if case .survived(let incident) = $0 { found.append("\(incident)") }
    }
    #expect(
      found
        == [1, 6, 12].flatMap {
          ["layer 1", "layer 2"].map { [step = $0] in "step \(step): \($0), neuron 1: raised damping, 3.0" }
        })
  }

  /// Without damping, and with fewer samples than inputs in the first window, there is a run to its end.
  @Test(arguments: ["exact", "shared"])
  func withoutDamping(metric: String) throws {
    let optimizer = try RNGD<Float>(
      metric: metric == "exact" ? ExactMetric() : SharedMetric(), learningRate: 0.01, damping: 0.0, refreshInterval: 100
    )
    let trainer = try trainer(optimizer)
    var losses: [Double] = []
    try trainer.run(epochs: 3) { if case .epoch(let report) = $0 { losses.append(report.training.loss) } }
    #expect(losses[2] < losses[1] && losses[1] < losses[0], "\(losses)")
    #expect(trainer.model.parameters.allSatisfy { $0.value.isFinite })
  }

  /// A bias of -infinity under relu leaves every loss finite. At the epoch's end it is found all the same, and gone.
  @Test func weightsAreLookedAt() throws {
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 12, data.classes], activation: Relu(), batchCapacity: 40)
    for recovery in [Recovery(), .off] {
      let trainer = try Trainer(
        model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: 20, recovery: recovery)
      model.parameters[0].value[3, data.width] = -.infinity
      var found: [Incident] = []
      let error = failure(of: {
        try trainer.run(epochs: 1) { if case .survived(let incident) = $0 { found.append(incident) } }
      })
      if recovery == .off {
        guard case .diverged(step: 15, _, timesBack: 0)? = error as? FisherError else {
          Issue.record("found \(String(describing: error))")
          return
        }
        continue
      }
      #expect(error == nil && found.map(\.remedy) == [.wentBack] && found.map(\.step) == [15])
      #expect(found.map(\.learningRate) == [0.05] && trainer.optimizer.learningRate == 0.05)
      let bias = model.parameters[0].value[3, data.width]
      #expect(bias == 0)
    }
  }

  @Test func setsThatAreTooSmall() throws {
    let none = Dataset(features: .floats([]), labels: [], width: 3, classes: 2)
    let one = Dataset(features: .floats([1, 2, 3]), labels: [1], width: 3, classes: 2)
    let two = Dataset(features: .floats([1, 2, 3, 4, 5, 6]), labels: [1, 0], width: 3, classes: 2)
    #expect(throws: DataError("d", expected: "at least one test sample", found: "none")) {
      try DataSplit(name: "d", samples: two, validationCount: 1, test: none)
    }
    #expect(throws: DataError("d", expected: "at least 2 samples, to train and to validate", found: "1")) {
      try DataSplit(name: "d", samples: one, validationCount: 1, test: one)
    }
    #expect(throws: DataError.self) { try DataSplit(name: "d", samples: two, validationCount: 2, test: one) }
    #expect(try DataSplit(name: "d", samples: two, validationCount: 1, test: one).training == 0..<1)
  }
}
