/// Gradient descent with heavy-ball momentum: v ← μ v + g; w ← w − γ v.
public final class Momentum<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  /// μ
  public let momentum: Double
  public let l2: Double
  private var velocities: [KeptMatrix<Scalar>] = []
  private var steps = 0

  public init(
    learningRate: Double = Momentum.usualLearningRate, momentum: Double = 0.9, l2: Double = 0
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, l2: l2)
    try require(momentum >= 0 && momentum < 1, "momentum", expected: "a number in [0, 1)", found: momentum)
    self.learningRate = learningRate
    self.momentum = momentum
    self.l2 = l2
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 0.01 }

  public var name: String { "momentum" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["momentum": "\(momentum)", "L2": "\(l2)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("velocity", velocities)
  }

  public func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    (velocities, steps) = ([], 0)
    for parameter in model.parameters { velocities.append(try KeptMatrix(like: parameter, what: "velocity")) }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    demand(velocities.count == model.parameters.count, "prepare the optimizer for this model first")
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    let parameters = model.parameters
    for i in parameters.indices {
      let (parameter, velocity) = (parameters[i], velocities[i])
      parameter.addWeightDecay(l2: l2)
      parameter.value.descend(
        parameter.gradient, velocity: &velocity.value, rate: learningRate, momentum: momentum)
    }
    return []
  }

  public func restart() {
    for velocity in velocities { velocity.value.setToZero() }
  }
}
