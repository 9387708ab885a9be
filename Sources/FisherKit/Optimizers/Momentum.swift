/// Gradient descent with momentum: v ← μ v + g; w ← w − γ v (Polyak 1964), or Nesterov's w ← w − γ (g + μ v) (Sutskever et al.
/// 2013); and w ← w − γ λ w where that decays.
public final class Momentum<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  /// μ
  public private(set) var momentum: Double
  public let isNesterov: Bool
  public let decay: WeightDecay
  private var velocities: [KeptMatrix<Scalar>] = []
  private var steps = 0
  private let firstMomentum: Double

  public init(
    learningRate: Double = Momentum.usualLearningRate, momentum: Double = 0.9, isNesterov: Bool = false,
    decay: WeightDecay = .none
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, decay: decay)
    try requireShare(momentum, "momentum")
    self.learningRate = learningRate
    self.momentum = momentum
    firstMomentum = momentum
    self.isNesterov = isNesterov
    self.decay = decay
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 0.01 }

  public func value(of number: OptimizerNumber) -> Double? {
    switch number {
    case .learningRate: learningRate
    case .momentum: momentum
    case .damping, .trustRegion: nil
    }
  }

  public func set(_ number: OptimizerNumber, to value: Double) {
    if number == .learningRate { learningRate = value }
    if number == .momentum { momentum = value }
  }

  public var name: String { "momentum" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] {
    ["momentum": "\(firstMomentum)", "Nesterov": "\(isNesterov)", "decay": "\(decay)"]
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("velocity", velocities)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
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
      parameter.addCoupled(decay)
      parameter.shrink(decay, rate: learningRate)
      if isNesterov {
        velocity.value.blend(&parameter.gradient, RunningShares(keep: momentum, take: 1, mean: momentum, rest: 1))
        parameter.value.descend(parameter.gradient, rate: learningRate)
      } else {
        parameter.value.descend(
          parameter.gradient, velocity: &velocity.value, rate: learningRate, momentum: momentum)
      }
    }
    return []
  }

  public func restart() {
    for velocity in velocities { velocity.value.setToZero() }
  }
}
