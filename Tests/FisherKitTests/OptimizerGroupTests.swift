import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Parameters in groups with optimizers of their own.
@Suite struct OptimizerGroupTests {
  private func model() throws -> Sequential<Double> {
    try Sequential<Double>.perceptron(
      shape: [6, 5, 4, 3], activation: Tanh(), batchNormalization: BatchNormalizationOptions(), batchCapacity: 9,
      seed: 3)
  }

  /// Each parameter goes the way that its optimizer alone would have it go, and a frozen one nowhere.
  @Test func eachByItsOwn() throws {
    func natural() throws -> RNGD<Double> { try RNGD(metric: ExactMetric(), learningRate: 0.02, refreshInterval: 2) }
    let mixed = try model()
    let groups = try OptimizerGroups<Double>([
      ParameterGroup(.withoutSubsystem, optimizer: try Adam(learningRate: 0.03)),
      ParameterGroup(.named("layer 2"), optimizer: nil),
      ParameterGroup(.all, optimizer: try natural()),
    ])
    try groups.prepare(for: mixed, batchSize: 9)
    let names = try groups.assignment(of: mixed.parameters)
    #expect(names[1] == ["layer 2"] && names[2] == ["layer 1", "layer 3"] && names[0].count == 2)
    var generator = SplitMix64(seed: 1)
    for step in 1...5 {
      let labels = try fill(mixed, samples: 9, using: &generator)
      let before = try SavedState(of: mixed)
      _ = mixed.gradients(labels: labels.span)
      let (frozen, gradients) = (mixed.parameters[2].value.numbers, mixed.parameters.map { $0.gradient.numbers })
      _ = try groups.step(mixed)
      #expect(mixed.parameters.first { $0.name == "layer 2" }?.value.numbers == frozen || step == 0)
      // SGD on nothing of a copy: what Adam and RNGD make of the same gradients is in their own tests; here that each
      // parameter moved, and by its own
      let other = try model()
      try before.restore(other)
      for (k, parameter) in mixed.parameters.enumerated() {
        let moved = parameter.value.numbers != other.parameters[k].value.numbers
        #expect(moved == (parameter.name != "layer 2"), "\(parameter.name)")
        #expect(gradients[k].contains { $0 != 0 })
      }
    }
  }

  /// Two groups of one kind are the same as one optimizer, for those that look at nothing but their own parameter.
  @Test func asOneOptimizer() throws {
    let makers: [() throws -> any Optimizer<Double>] = [
      { try SGD(learningRate: 0.1) }, { try Momentum(learningRate: 0.1) }, { try Adam(learningRate: 0.02) },
      { try Muon(learningRate: 0.05) },
      { try RNGD(metric: ExactMetric(), learningRate: 0.02, refreshInterval: 2, trustRegion: .off) },
    ]
    for make in makers {
      let (whole, parted) = (try model(), try model())
      let one = try make()
      let two = try OptimizerGroups<Double>([
        ParameterGroup(.named("layer 2", "layer ?"), optimizer: try make()),
        ParameterGroup(.all, optimizer: try make()),
      ])
      try one.prepare(for: whole, batchSize: 9)
      try two.prepare(for: parted, batchSize: 9)
      var generator = SplitMix64(seed: 1)
      for _ in 1...5 {
        let labels = try fill(whole, samples: 9, using: &generator)
        parted.input.copy(from: whole.input)
        _ = whole.gradients(labels: labels.span)
        _ = parted.gradients(labels: labels.span)
        _ = try one.step(whole)
        _ = try two.step(parted)
        #expect(whole.parameters.map { $0.value.numbers } == parted.parameters.map { $0.value.numbers }, "\(one.name)")
      }
    }
  }

  @Test func refusals() throws {
    let model = try model()
    #expect(throws: FisherError.self) { try OptimizerGroups<Double>([]) }
    let sgd = try SGD<Double>()
    let misspelt = try OptimizerGroups([
      ParameterGroup(.named("lyer*"), optimizer: sgd), ParameterGroup(.all, optimizer: sgd),
    ])
    #expect(throws: FisherError.self) { try misspelt.prepare(for: model, batchSize: 9) }
    let rest = try OptimizerGroups([ParameterGroup(.named("layer 1"), optimizer: sgd)])
    #expect(throws: FisherError.self) { try rest.prepare(for: model, batchSize: 9) }
  }

  /// A gradient that is no number stops all groups before any of them has moved.
  @Test func noneMoves() throws {
    let model = try model()
    let groups = try OptimizerGroups<Double>([
      ParameterGroup(.named("layer 1"), optimizer: try SGD()), ParameterGroup(.all, optimizer: try SGD()),
    ])
    try groups.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 1)
    let labels = try fill(model, samples: 9, using: &generator)
    _ = model.gradients(labels: labels.span)
    model.parameters.last?.gradient[0, 0] = .infinity
    let before = model.parameters.map { $0.value.numbers }
    #expect(throws: FisherError.self) { try groups.step(model) }
    #expect(model.parameters.map { $0.value.numbers } == before)
  }

  /// To set the rate, as a recovery does, is to scale those of all groups.
  @Test func rates() throws {
    let (one, two) = (try SGD<Double>(learningRate: 0.1), try Adam<Double>(learningRate: 0.01))
    let groups = try OptimizerGroups<Double>([
      ParameterGroup(.named("layer 1"), optimizer: one), ParameterGroup(.all, optimizer: two),
    ])
    #expect(groups.learningRate == 0.01 && groups.name == "sgd + adam")
    groups.learningRate /= 2
    #expect(one.learningRate == 0.05 && two.learningRate == 0.005)
  }

  @Test(arguments: [
    ("*", "", true), ("*", "layer 1", true), ("layer ?", "layer 1", true), ("layer ?", "layer 12", false),
    ("layer *", "layer 12", true), ("*scale", "layer 1 scale", true), ("*scale", "scale of 1", false),
    ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("", "", true), ("", "x", false), ("**", "x", true),
    ("?*", "", false), ("layer 1", "layer 10", false), ("L*", "layer", false),
  ])
  func patterns(pattern: String, name: String, matches: Bool) { #expect(isLike(pattern, name) == matches) }
}
