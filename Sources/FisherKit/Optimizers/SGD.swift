/// Stochastic gradient descent: w ← w − γ g.
public final class SGD<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  public let l2: Double
  private var steps = 0

  public init(learningRate: Double = SGD.usualLearningRate, l2: Double = 0) throws(FisherError) {
    try requireStep(learningRate: learningRate, l2: l2)
    self.learningRate = learningRate
    self.l2 = l2
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 0.1 }

  public var name: String { "sgd" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["L2": "\(l2)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
  }

  public func prepare(for model: any Model<Scalar>, batchSize: Int) { steps = 0 }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    for parameter in model.parameters {
      parameter.value.descend(parameter.gradient, rate: learningRate, l2: parameter.isDecayed ? l2 : 0)
    }
    return []
  }
}
