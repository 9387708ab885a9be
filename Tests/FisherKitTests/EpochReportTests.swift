import Testing

@testable import FisherKit

/// What a trainer tells of its steps and plans, counted by hand: 300 samples in mini-batches of 40, the last one of 20.
@Suite struct EpochReportTests {
  private let data: DataSplit
  private let model: Sequential<Float>
  /// 12·65 + 10·13 weights.
  private let weights = 910.0

  init() throws {
    data = try SyntheticData.make(training: 300, validation: 70, test: 50, seed: 1)
    model = try Sequential<Float>.perceptron(
      shape: [data.width, 12, data.classes], activation: Tanh(), batchCapacity: 40, seed: 7)
  }

  /// Takes no steps, and notes what it is told of losses.
  private final class Standing: Optimizer {
    let name = "standing"
    var learningRate = 1.0
    let bytes = 0
    var losses: [(before: Double, after: Double)] = []
    func prepare(for model: any Model<Float>, batches: MiniBatches) {}
    func step(_ model: any Model<Float>) -> [Incident] { [] }
    var wantsLossAfterStep: Bool { true }
    func note(loss: Double, after: Double) { losses.append((loss, after)) }
  }

  @Test func stepsAndEpochs() throws {
    let optimizer = Standing()
    var steps: [[Int]] = []
    var losses: [Double] = []
    var epochs: [[Int]] = []
    try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 40).run(epochs: 2) { event in
      if case .step(let epoch, let step, let of, let loss) = event {
        steps.append([epoch, step, of])
        losses.append(loss)
      }
      if case .epoch(let report) = event { epochs.append([report.epoch, report.step]) }
    }
    #expect(steps == [1, 2].flatMap { epoch in (1...8).map { [epoch, $0, 8] } } && epochs == [[1, 8], [2, 16]])
    // Without a step the mean loss of a mini-batch is the same before and after it, of the smaller one too.
    #expect(optimizer.losses.map(\.before) == losses && losses.count == 16)
    for (before, after) in optimizer.losses { #expect(abs(before - after) < 1e-6 * before) }
  }

  /// A region that no step fits into binds at every one, a region without bounds at none.
  @Test(arguments: [(1e-14, 1.0), (0, 0)]) func boundSteps(kappa: Double, share: Double) throws {
    let optimizer = try RNGD<Float>(metric: DiagonalMetric(), trustRegion: TrustRegion(kappa: kappa))
    var shares: [Double] = []
    try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 40).run(epochs: 2) { event in
      if case .epoch(let report) = event { shares += report.bounds.map(\.share) }
    }
    #expect(shares == Array(repeating: share, count: 4))
  }

  /// A multiplication and an addition a weight and sample forward, twice that backward; bytes that are read and written.
  @Test func work() throws {
    let trainer = try Trainer(model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: 40)
    let profile = StepProfile()
    trainer.profile = profile
    try trainer.run(epochs: 1)
    let calls = StepProfile.Phase.allCases.map { profile[$0].calls }
    #expect(calls == [8, 8, 8, 0, 0, 0, 8])
    #expect(
      abs(profile[.forward].flops - 2 * 300 * weights) < 1 && abs(profile[.backward].flops - 4 * 300 * weights) < 1)
    #expect(profile[.update].flops == 8 * 2 * weights && profile[.update].bytes == 8 * 3 * 4 * weights)
    // (a byte is read for each float that is written)
    #expect(profile[.gather].flops == 300 * 64 && profile[.gather].bytes == 300 * 64 * 5)
    // Weights are read once for each mini-batch forward, and twice backward.
    #expect(abs(profile[.forward].bytes - 8 * 4 * weights) < 1 && abs(profile[.backward].bytes - 16 * 4 * weights) < 1)
  }

  @Test func plan() throws {
    let plan = try Trainer(model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: 40).plan
    #expect([plan.trainingSamples, plan.validationSamples, plan.testSamples, plan.stepsPerEpoch] == [300, 70, 50, 8])
    // An index of 4 bytes a sample, and what the runtimes take.
    let beside = plan.bytes - plan.dataBytes - plan.modelBytes - plan.optimizerBytes
    #expect(beside == 300 * 4 + 3_000_000 + 500_000 * Compute.threads)
  }
}
