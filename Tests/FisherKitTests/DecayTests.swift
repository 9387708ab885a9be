import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Coupled and decoupled decay, of what is to decay.
@Suite struct DecayTests {
  private static let optimizers: [@Sendable (WeightDecay) throws -> any Optimizer<Double>] = [
    { try SGD(learningRate: 0.1, decay: $0) }, { try Momentum(learningRate: 0.1, decay: $0) },
    { try Momentum(learningRate: 0.1, isNesterov: true, decay: $0) }, { try Adam(learningRate: 0.1, decay: $0) },
    { try Muon(learningRate: 0.1, restLearningRate: 0.1, decay: $0) },
    { try RNGD(metric: ExactMetric(), learningRate: 0.1, decay: $0) },
  ]

  private func model() throws -> (model: Sequential<Double>, labels: [Int32]) {
    let model = try Sequential<Double>.perceptron(
      shape: [6, 5, 4], activation: Tanh(), batchNormalization: BatchNormalizationOptions(), batchCapacity: 9, seed: 3)
    for parameter in model.parameters { parameter.value.fill(column: parameter.order - 1, with: 0.7) }
    var generator = SplitMix64(seed: 1)
    return (model, try fill(model, samples: 9, using: &generator))
  }

  private func step(_ optimizer: any Optimizer<Double>) throws -> [[[Double]]] {
    let (model, labels) = try model()
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    return model.parameters.map { $0.value.elements }
  }

  /// Decoupled, weights lose γλ of what they were beside the same step as without.
  @Test(arguments: optimizers.indices, [(false, false), (true, false), (false, true), (true, true)])
  func decoupled(index: Int, masks: (biases: Bool, normalizations: Bool)) throws {
    let make = Self.optimizers[index]
    let start = try model().model
    let plain = try step(try make(.none))
    let found = try step(
      try make(
        WeightDecay(decoupled: 0.5, includesBiases: masks.biases, includesNormalizations: masks.normalizations)))
    for (k, parameter) in start.parameters.enumerated() {
      let decays = parameter.isDecayed || masks.normalizations
      for i in 0..<parameter.neurons {
        for j in 0..<parameter.order {
          let isDecayed = decays && (j < parameter.order - 1 || masks.biases)
          let expected = plain[k][i][j] - (isDecayed ? 0.05 * parameter.value[i, j] : 0)
          #expect(abs(found[k][i][j] - expected) < 1e-13, "\(parameter.name) (\(i), \(j))")
        }
      }
    }
  }

  /// Coupled, it is as if the gradient had it from the start.
  @Test(arguments: optimizers.indices, [(false, false), (true, false), (false, true), (true, true)])
  func coupled(index: Int, masks: (biases: Bool, normalizations: Bool)) throws {
    // (what RNGD makes less of it in a trust region is another test's matter)
    let make = Self.optimizers[index]
    let isNatural = index == Self.optimizers.count - 1
    let optimizer =
      isNatural
      ? try RNGD<Double>(
        metric: ExactMetric(), learningRate: 0.1, trustRegion: .off,
        decay: WeightDecay(coupled: 0.5, includesBiases: masks.biases, includesNormalizations: masks.normalizations))
      : try make(WeightDecay(coupled: 0.5, includesBiases: masks.biases, includesNormalizations: masks.normalizations))
    let found = try step(optimizer)
    let (other, labels) = try model()
    let plain =
      isNatural
      ? try RNGD<Double>(metric: ExactMetric(), learningRate: 0.1, trustRegion: .off) : try make(.none)
    try plain.prepare(for: other, batchSize: 9)
    _ = other.gradients(labels: labels.span)
    for parameter in other.parameters where parameter.isDecayed || masks.normalizations {
      for i in 0..<parameter.neurons {
        for j in 0..<(parameter.order - (masks.biases ? 0 : 1)) {
          parameter.gradient[i, j] += 0.5 * parameter.value[i, j]
        }
      }
    }
    _ = try plain.step(other)
    for (k, parameter) in other.parameters.enumerated() {
      let comparison = Comparison.normwise(
        found[k].flatMap { $0 }, parameter.value.numbers, tolerance: 1e-12)
      #expect(comparison.isAllowed, "\(parameter.name): \(comparison)")
    }
  }

  @Test func refusals() {
    for decay in [WeightDecay.l2(-1), .decoupled(-1), .l2(.nan), .decoupled(.infinity)] {
      for make in Self.optimizers { #expect(throws: FisherError.self) { try make(decay) } }
    }
  }

  @Test func words() {
    #expect("\(WeightDecay.none)" == "none" && "\(WeightDecay.l2(0.001))" == "L2 0.001")
    #expect(
      "\(WeightDecay(coupled: 0.1, decoupled: 0.2, includesBiases: true))" == "L2 0.1, decoupled 0.2, of biases too")
  }
}
