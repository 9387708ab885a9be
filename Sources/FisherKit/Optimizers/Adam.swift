import Foundation

/// Adam (Kingma & Ba 2015): w ← w − γ m̂/(√v̂ + ε), with bias-corrected running means of g and g². With a decoupled decay it is
/// AdamW (Loshchilov & Hutter 2019), which also takes w ← w − γ λ w.
public final class Adam<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  public private(set) var beta1: Double
  public let beta2: Double
  public let epsilon: Double
  public let decay: WeightDecay
  private var first: [KeptMatrix<Scalar>] = []
  private var second: [KeptMatrix<Scalar>] = []
  private var steps = 0
  private let firstBeta1: Double
  /// Π β₁: what is left of the zeros that the first moment began with.
  private var keptOfFirst = 1.0

  public init(
    learningRate: Double = Adam.usualLearningRate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    decay: WeightDecay = .none
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, decay: decay)
    try requireShare(beta1, "beta1")
    try requireShare(beta2, "beta2")
    try require(epsilon > 0, "epsilon", expected: "a positive number", found: epsilon)
    self.learningRate = learningRate
    self.beta1 = beta1
    firstBeta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.decay = decay
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 5e-4 }

  public func value(of number: OptimizerNumber) -> Double? {
    switch number {
    case .learningRate: learningRate
    case .momentum: beta1
    case .damping, .trustRegion: nil
    }
  }

  public func set(_ number: OptimizerNumber, to value: Double) {
    if number == .learningRate { learningRate = value }
    if number == .momentum { beta1 = value }
  }

  public var name: String { decay.decoupled > 0 ? "adamw" : "adam" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] {
    ["beta1": "\(firstBeta1)", "beta2": "\(beta2)", "epsilon": "\(epsilon)", "decay": "\(decay)"]
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("kept of the first", &keptOfFirst)
    try visitor.visit("first moment", first)
    try visitor.visit("second moment", second)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    (first, second, steps, keptOfFirst) = ([], [], 0, 1)
    for parameter in model.parameters {
      first.append(try KeptMatrix(like: parameter, what: "first moment"))
      second.append(try KeptMatrix(like: parameter, what: "second moment"))
    }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    demand(first.count == model.parameters.count, "prepare the optimizer for this model first")
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    // γ m̂/(√v̂ + ε) with m̂ = m/c1 and v̂ = v/c2 is (γ √c2/c1) m/(√v + ε√c2).
    // (Π β₁ where that changes from step to step)
    keptOfFirst *= beta1
    let correction1 = 1 - keptOfFirst
    let correction2 = (1 - pow(beta2, Double(steps))).squareRoot()
    let parameters = model.parameters
    for i in parameters.indices {
      let parameter = parameters[i]
      parameter.addCoupled(decay)
      parameter.shrink(decay, rate: learningRate)
      parameter.value.descendAdam(
        parameter.gradient, first: &first[i].value, second: &second[i].value,
        rate: learningRate * correction2 / correction1, beta1: beta1, beta2: beta2, epsilon: epsilon * correction2)
    }
    return []
  }

  public func restart() {
    (steps, keptOfFirst) = (0, 1)
    for moment in first + second { moment.value.setToZero() }
  }
}
