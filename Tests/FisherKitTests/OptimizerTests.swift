import FisherKit
import FisherKitTestSupport
import Testing

/// First-order optimizers against their formulas, over several steps.
@Suite struct OptimizerTests {
  private let rate = 0.05
  private let l2 = 0.01

  /// Runs 4 steps of `optimizer`, and `update` (w, g, step) -> w on every parameter beside it.
  private func compare(
    _ optimizer: any Optimizer<Double>, _ update: (Int, [Double], [Double], Int) -> [Double]
  ) throws {
    let (model, _) = try smallNetwork(Double.self)
    try optimizer.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 8)
    for step in 1...4 {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      let expected = model.parameters.enumerated().map { index, parameter in
        let (w, m, d) = (parameter.value.numbers, parameter.neurons, parameter.order)
        let g = Reference.weightDecay(g: parameter.gradient.numbers, w: w, m: m, d: d, l2: l2)
        return update(index, w, g, step)
      }
      #expect(try optimizer.step(model).isEmpty)
      for (parameter, expected) in zip(model.parameters, expected) {
        let comparison = Comparison.normwise(parameter.value.numbers, expected, tolerance: 1e-13)
        #expect(comparison.isAllowed, "\(optimizer.name), step \(step), \(parameter.name): \(comparison)")
      }
    }
  }

  @Test func sgd() throws {
    try compare(try SGD(learningRate: rate, decay: .l2(l2))) { _, w, g, _ in zip(w, g).map { $0 - rate * $1 } }
  }

  @Test func momentum() throws {
    var velocity: [Int: [Double]] = [:]
    try compare(try Momentum(learningRate: rate, momentum: 0.8, decay: .l2(l2))) { index, w, g, _ in
      let v = zip(velocity[index] ?? g.map { _ in 0 }, g).map { 0.8 * $0 + $1 }
      velocity[index] = v
      return zip(w, v).map { $0 - rate * $1 }
    }
  }

  @Test func adam() throws {
    var first: [Int: [Double]] = [:]
    var second: [Int: [Double]] = [:]
    try compare(try Adam(learningRate: rate, decay: .l2(l2))) { index, w, g, step in
      let m = zip(first[index] ?? g.map { _ in 0 }, g).map { 0.9 * $0 + 0.1 * $1 }
      let v = zip(second[index] ?? g.map { _ in 0 }, g).map { 0.999 * $0 + 0.001 * $1 * $1 }
      (first[index], second[index]) = (m, v)
      var (c1, c2) = (1.0, 1.0)
      for _ in 0..<step { (c1, c2) = (c1 * 0.9, c2 * 0.999) }
      return w.indices.map { w[$0] - rate * (m[$0] / (1 - c1)) / ((v[$0] / (1 - c2)).squareRoot() + 1e-8) }
    }
  }

  /// A NaN in the data is an error, and the weights are as they were.
  @Test(arguments: [Double.nan, .infinity])
  func gradientsThatAreNoNumbersAreRefused(bad: Double) throws {
    let optimizers: [any Optimizer<Double>] = [
      try SGD(learningRate: rate), try Momentum(learningRate: rate), try Adam(learningRate: rate),
      try RNGD(learningRate: rate), try RNGD(metric: SharedMetric(), learningRate: rate),
      try RNGD(metric: PaperMetric(), learningRate: rate),
    ]
    for optimizer in optimizers {
      let (model, labels) = try smallNetwork(Double.self)
      try optimizer.prepare(for: model, batchSize: 9)
      _ = model.gradients(labels: labels.span)
      #expect(try optimizer.step(model).isEmpty)
      let before = model.parameters.map { $0.value.numbers }
      model.input[3, 2] = bad
      _ = model.gradients(labels: labels.span)
      #expect(throws: FisherError.nonFinite(what: "gradient of layer 1", step: 2)) { try optimizer.step(model) }
      #expect(model.parameters.map { $0.value.numbers } == before, "\(optimizer.name)")
    }
  }

  /// A parameter without a subsystem takes the plain gradient under RNGD.
  @Test func plainGradientWithoutSubsystem() throws {
    let model = PlainModel(try Parameter<Double>(name: "scale", neurons: 2, order: 3, subsystem: nil))
    for i in 0..<2 {
      for j in 0..<3 { model.parameter.gradient[i, j] = Double(1 + i + j) }
    }
    let optimizer = try RNGD<Double>(learningRate: 0.5, trustRegion: .off)
    try optimizer.prepare(for: model, batchSize: 1)
    #expect(try optimizer.step(model).isEmpty)
    #expect(model.parameter.value.elements == [[-0.5, -1, -1.5], [-1, -1.5, -2]])
  }

  private final class PlainModel: Model {
    let parameter: Parameter<Double>
    init(_ parameter: Parameter<Double>) { self.parameter = parameter }
    var parameters: [Parameter<Double>] { [parameter] }
    func observe(_ body: ObservationBody<Double>) {}
  }

  /// Hyper-parameters out of range are refused by name.
  @Test func refusals() {
    func refused(_ what: String, _ make: () throws -> Any) {
      guard case .invalidArgument(let found, _, _) = failure(of: { _ = try make() }) as? FisherError else {
        Issue.record("\(what) was not refused")
        return
      }
      #expect(found == what)
    }
    for rate in [0, -1, .nan, .infinity] {
      refused("learning rate") { try SGD<Float>(learningRate: rate) }
      refused("learning rate") { try RNGD<Float>(learningRate: rate) }
    }
    refused("l2") { try Adam<Float>(learningRate: 1, decay: .l2(-1)) }
    refused("momentum") { try Momentum<Float>(learningRate: 1, momentum: 1) }
    refused("beta1") { try Adam<Float>(learningRate: 1, beta1: 1) }
    refused("beta2") { try Adam<Float>(learningRate: 1, beta2: -0.1) }
    refused("epsilon") { try Adam<Float>(learningRate: 1, epsilon: 0) }
    refused("damping") { try RNGD<Float>(learningRate: 1, damping: -1e-9) }
    refused("damping") { try RNGD<Float>(learningRate: 1, damping: .absolute(.nan)) }
    refused("trust region") { try RNGD<Float>(trustRegion: TrustRegion(kappa: -1)) }
    refused("trust region") { try RNGD<Float>(trustRegion: TrustRegion(kappa: .infinity)) }
    refused("normalised trust region") { try RNGD<Float>(trustRegion: TrustRegion(kappa: 0, isNormalized: true)) }
    refused("refresh") { try RNGD<Float>(learningRate: 1, refreshInterval: 0) }
  }
}
