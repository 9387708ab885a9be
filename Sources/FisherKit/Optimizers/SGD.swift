/// Stochastic gradient descent: w ← w − γ g − γ λ w.
public final class SGD<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  public let decay: WeightDecay
  private var steps = 0

  public init(learningRate: Double = SGD.usualLearningRate, decay: WeightDecay = .none) throws(FisherError) {
    try requireStep(learningRate: learningRate, decay: decay)
    self.learningRate = learningRate
    self.decay = decay
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 0.1 }

  public var name: String { "sgd" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["decay": "\(decay)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) { steps = 0 }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    for parameter in model.parameters {
      // (to both kinds of decay a plain gradient is the same)
      let amount = decay.coupled(of: parameter) + decay.decoupled(of: parameter)
      if amount > 0, decay.includesLastColumn(of: parameter) { parameter.addCoupledBias(amount) }
      parameter.value.descend(parameter.gradient, rate: learningRate, l2: amount)
    }
    return []
  }
}
