import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Averages of gradients and of directions, and lengths of other optimizers' steps.
@Suite struct NaturalMomentumTests {
  /// A step's gradients and the direction that a preconditioner makes of them, beside the optimizer's own.
  private func compare(
    _ momentum: NaturalMomentum, graft: Graft = .none, interval: Int = 1, steps: Int = 6,
    _ expected: (_ gradients: [[Double]], _ turn: ([Double]) throws -> [Double]) throws -> (
      delta: [Double], product: Double
    )
  ) throws {
    let (rate, kappa) = (0.05, 2e-3)
    let (model, _) = try smallNetwork(Double.self)
    let optimizer = try RNGD<Double>(
      metric: ExactMetric(), learningRate: rate, damping: 0.05, refreshInterval: interval,
      trustRegion: TrustRegion(kappa: kappa), momentum: momentum, graft: graft)
    try optimizer.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 8)
    var gradients: [[Double]] = []
    let parameter = try #require(model.parameters.last)
    for step in 1...steps {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      gradients.append(parameter.gradient.numbers)
      let before = parameter.value.numbers
      _ = try optimizer.step(model)
      let preconditioner = try #require(optimizer.preconditioner)
      let (delta, product) = try expected(gradients) { g in
        var copy = try Matrix<Double>.make(g, rows: parameter.neurons, columns: parameter.order)
        try preconditioner.states.last?.curvature.precondition(&copy)
        return copy.numbers
      }
      let scale = min(1, (kappa / (0.5 * rate * rate * product)).squareRoot())
      // (a faint layer's step may be longer: this is the last one, whose outputs are probabilities)
      let found = zip(before, parameter.value.numbers).map { $0 - $1 }
      let used = optimizer.stepScales.last ?? 0
      #expect(used >= scale * (1 - 1e-9), "step \(step)")
      if scale < 1 { #expect(abs(used - scale) < 1e-9 * scale, "step \(step): \(used), \(scale)") }
      let comparison = Comparison.normwise(found, delta.map { rate * used * $0 }, tolerance: 1e-9)
      #expect(comparison.isAllowed, "step \(step): \(comparison)")
    }
  }

  private func mean(_ values: [[Double]], _ share: Double, isNesterov: Bool) -> [Double] {
    var mean = values[0].map { _ in 0.0 }
    var kept = 1.0
    for value in values {
      mean = zip(mean, value).map { share * $0 + (1 - share) * $1 }
      kept *= share
    }
    guard isNesterov else { return mean.map { $0 / (1 - kept) } }
    return zip(mean, values[values.count - 1]).map { (share * $0 + (1 - share) * $1) / (1 - share * kept) }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Gradients are averaged, and preconditioned by the matrix of now.
  @Test(arguments: [false, true]) func before(isNesterov: Bool) throws {
    try compare(NaturalMomentum(0.7, isNesterov: isNesterov)) { gradients, turn in
      let average = mean(gradients, 0.7, isNesterov: isNesterov)
      let delta = try turn(average)
      return (delta, dot(average, delta))
    }
  }

  /// Directions are averaged, each by the matrix of its own step.
  @Test(arguments: [false, true]) func after(isNesterov: Bool) throws {
    var directions: [[Double]] = []
    try compare(NaturalMomentum(0.7, .after, isNesterov: isNesterov)) { gradients, turn in
      directions.append(try turn(gradients[gradients.count - 1]))
      let delta = mean(directions, 0.7, isNesterov: isNesterov)
      return (delta, max(0, dot(mean(gradients, 0.7, isNesterov: isNesterov), delta)))
    }
  }

  /// While the matrix stays both are one.
  @Test func sameWhileTheMatrixStays() throws {
    func weights(_ place: NaturalMomentum.Place) throws -> [[Double]] {
      let (model, _) = try smallNetwork(Double.self)
      let optimizer = try RNGD<Double>(
        metric: ExactMetric(), learningRate: 0.05, damping: 0.05,
        schedule: RefreshSchedule(interval: 1000, startsEarly: false), momentum: NaturalMomentum(0.8, place))
      try optimizer.prepare(for: model, batchSize: 9)
      var generator = SplitMix64(seed: 8)
      for _ in 1...6 {
        let labels = try fill(model, samples: 9, using: &generator)
        _ = model.gradients(labels: labels.span)
        _ = try optimizer.step(model)
      }
      return model.parameters.map { $0.value.numbers }
    }
    for (a, b) in zip(try weights(.before), try weights(.after)) {
      #expect(Comparison.normwise(a, b, tolerance: 1e-9).isAllowed)
    }
  }

  @Test func graftedOnSGD() throws {
    try compare(.none, graft: .sgd) { gradients, turn in
      let g = gradients[gradients.count - 1]
      let delta = try turn(g)
      let factor = (dot(g, g) / dot(delta, delta)).squareRoot()
      return (delta.map { factor * $0 }, factor * factor * dot(g, delta))
    }
  }

  @Test func graftedOnAdam() throws {
    var second: [Double] = []
    try compare(NaturalMomentum(0.5), graft: .adam) { gradients, turn in
      let g = gradients[gradients.count - 1]
      second = zip(second.isEmpty ? g.map { _ in 0 } : second, g).map { 0.999 * $0 + 0.001 * $1 * $1 }
      var kept = 1.0
      for _ in gradients { kept *= 0.999 }
      let steps = zip(g, second).map { $0 / (($1 / (1 - kept)).squareRoot() + 1e-8) }
      let average = mean(gradients, 0.5, isNesterov: false)
      let delta = try turn(average)
      let factor = (dot(steps, steps) / dot(delta, delta)).squareRoot()
      return (delta.map { factor * $0 }, factor * factor * dot(average, delta))
    }
  }

  @Test func refusals() {
    for share in [-0.1, 1, .nan] {
      #expect(throws: FisherError.self) { try RNGD<Double>(momentum: NaturalMomentum(share)) }
    }
  }

  /// After weights went back nothing is left of averages.
  @Test func restart() throws {
    let mean = try RunningMean<Double>(
      like: Parameter(name: "w", neurons: 2, order: 2, subsystem: nil))
    var g = try Matrix<Double>.make([1, 2, 3, 4], rows: 2, columns: 2)
    mean.average(&g, share: 0.9, isNesterov: false)
    mean.restart()
    var h = try Matrix<Double>.make([5, 6, 7, 8], rows: 2, columns: 2)
    mean.average(&h, share: 0.9, isNesterov: false)
    #expect(Comparison.normwise(h.numbers, [5, 6, 7, 8], tolerance: 1e-14).isAllowed)
  }
}
