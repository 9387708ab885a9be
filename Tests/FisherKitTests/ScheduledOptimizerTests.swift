import FisherKitTestSupport
import Testing

@testable import FisherKit

/// The numbers of optimizers that change from step to step.
@Suite struct ScheduledOptimizerTests {
  private func steps(
    _ optimizer: any Optimizer<Double>, _ count: Int, before: (Int) -> Void = { _ in }
  ) throws -> [[Double]] {
    let (model, _) = try smallNetwork(Double.self)
    try optimizer.prepare(for: model, batchSize: 9)
    optimizer.expect(RunLength(stepsPerEpoch: Double(count), epochs: 1))
    var generator = SplitMix64(seed: 8)
    for step in 0..<count {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      before(step)
      _ = try optimizer.step(model)
    }
    return model.parameters.map { $0.value.numbers }
  }

  /// What is set by hand before each step comes to the same bits.
  @Test func sameAsByHand() throws {
    let makers: [() throws -> any Optimizer<Double>] = [
      { try SGD(learningRate: 0.1) }, { try Momentum(learningRate: 0.1) }, { try Adam(learningRate: 0.01) },
      { try Muon(learningRate: 0.05) }, { try RNGD(learningRate: 0.05, momentum: NaturalMomentum(0.5)) },
    ]
    for make in makers {
      let scheduled = try ScheduledOptimizer(try make(), [.learningRate: Cosine()])
      let byHand = try make()
      let rate = byHand.learningRate
      let found = try steps(scheduled, 8)
      let expected = try steps(byHand, 8) { step in
        byHand.learningRate = rate * (Cosine().factor(at: ScheduleProgress(step: step, length: 8)) ?? 0)
      }
      #expect(found == expected, "\(byHand.name)")
    }
  }

  /// Damping from the refresh on, κ and β at once.
  @Test func othersOfRNGD() throws {
    func optimizer(_ damping: Double, _ kappa: Double, _ share: Double) throws -> RNGD<Double> {
      try RNGD(
        metric: ExactMetric(), learningRate: 0.05, damping: .absolute(damping), refreshInterval: 1,
        trustRegion: TrustRegion(kappa: kappa), momentum: NaturalMomentum(share))
    }
    for (number, halves) in [
      (OptimizerNumber.damping, try optimizer(0.05, 1e-4, 0.5)), (.trustRegion, try optimizer(0.1, 5e-5, 0.5)),
      (.momentum, try optimizer(0.1, 1e-4, 0.25)),
    ] {
      let scheduled = try ScheduledOptimizer(
        try optimizer(0.1, 1e-4, 0.5), [number: LinearSchedule(from: 0.5, to: 0.5)])
      #expect(try steps(scheduled, 6) == steps(halves, 6), "\(number)")
      #expect(try steps(scheduled, 6) != steps(try optimizer(0.1, 1e-4, 0.5), 6), "\(number)")
    }
  }

  @Test func whatAnOptimizerDoesNotHave() throws {
    let (model, _) = try smallNetwork(Double.self)
    for (number, optimizer) in [
      (OptimizerNumber.damping, try SGD<Double>() as any Optimizer<Double>), (.momentum, try SGD<Double>()),
      (.trustRegion, try RNGD<Double>(trustRegion: .off)), (.momentum, try RNGD<Double>()),
    ] {
      #expect(throws: FisherError.self, "\(number) of \(optimizer.name)") {
        try ScheduledOptimizer(optimizer, [number: Constant()]).prepare(for: model, batchSize: 9)
      }
    }
  }

  @Test func lengthsAndRanges() throws {
    let (model, labels) = try smallNetwork(Double.self)
    _ = model.gradients(labels: labels.span)
    let before = model.parameters.map { $0.value.numbers }
    let unknown = try ScheduledOptimizer(try SGD<Double>(), [.learningRate: Cosine()])
    try unknown.prepare(for: model, batchSize: 9)
    #expect(throws: FisherError.self) { try unknown.step(model) }
    let beyond = try ScheduledOptimizer(try Momentum<Double>(), [.momentum: LinearSchedule(from: 1.2, to: 1.2)])
    try beyond.prepare(for: model, batchSize: 9)
    beyond.expect(RunLength(steps: 10))
    #expect(throws: FisherError.self) { try beyond.step(model) }
    #expect(model.parameters.map { $0.value.numbers } == before)
    #expect(throws: FisherError.self) { try ScheduledOptimizer(try SGD<Double>(), [.learningRate: Cosine(to: -1)]) }
  }

  /// A recovery that halves the rate halves what the schedule goes by.
  @Test func halvedByARecovery() throws {
    let optimizer = try ScheduledOptimizer(try SGD<Double>(learningRate: 0.2), [.learningRate: LinearSchedule()])
    let (model, labels) = try smallNetwork(Double.self)
    try optimizer.prepare(for: model, batchSize: 9)
    optimizer.expect(RunLength(steps: 4))
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    optimizer.learningRate /= 2
    _ = try optimizer.step(model)
    #expect(optimizer.learningRate == 0.1 && optimizer.inner.learningRate == 0.1 * 0.75)
  }

  /// A run of another length is another run where a schedule ends with it, and the same where none does.
  @Test func settings() throws {
    func text(_ schedule: any Schedule, epochs: Int) throws -> String? {
      let optimizer = try ScheduledOptimizer(try SGD<Double>(), [.learningRate: schedule])
      optimizer.expect(RunLength(stepsPerEpoch: 10, epochs: epochs))
      return optimizer.settings["learning rate schedule"]
    }
    #expect(try text(Cosine(), epochs: 2) == "cosine of 20 steps")
    #expect(try text(Cosine(), epochs: 3) != text(Cosine(), epochs: 2))
    let same: any Schedule = WarmUp().over(.epochs(1)).then(InverseRoot())
    #expect(try text(same, epochs: 3) == text(same, epochs: 2))
  }
}
