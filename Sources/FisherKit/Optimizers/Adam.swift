import Foundation

/// Adam (Kingma & Ba 2015): w ← w − γ m̂/(√v̂ + ε), with bias-corrected running means of g and g².
public final class Adam<Scalar: KernelScalar>: Optimizer {
  public var learningRate: Double
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double
  public let l2: Double
  private var first: [KeptMatrix<Scalar>] = []
  private var second: [KeptMatrix<Scalar>] = []
  private var steps = 0

  public init(
    learningRate: Double = Adam.usualLearningRate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    l2: Double = 0
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, l2: l2)
    try require(beta1 >= 0 && beta1 < 1, "beta1", expected: "a number in [0, 1)", found: beta1)
    try require(beta2 >= 0 && beta2 < 1, "beta2", expected: "a number in [0, 1)", found: beta2)
    try require(epsilon > 0, "epsilon", expected: "a positive number", found: epsilon)
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.l2 = l2
  }

  /// The learning rate where nobody chooses.
  public static var usualLearningRate: Double { 5e-4 }

  public var name: String { "adam" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] {
    ["beta1": "\(beta1)", "beta2": "\(beta2)", "epsilon": "\(epsilon)", "L2": "\(l2)"]
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("first moment", first)
    try visitor.visit("second moment", second)
  }

  public func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    (first, second, steps) = ([], [], 0)
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
    let correction1 = 1 - pow(beta1, Double(steps))
    let correction2 = (1 - pow(beta2, Double(steps))).squareRoot()
    let parameters = model.parameters
    for i in parameters.indices {
      let parameter = parameters[i]
      parameter.addWeightDecay(l2: l2)
      parameter.value.descendAdam(
        parameter.gradient, first: &first[i].value, second: &second[i].value,
        rate: learningRate * correction2 / correction1, beta1: beta1, beta2: beta2, epsilon: epsilon * correction2)
    }
    return []
  }

  public func restart() {
    steps = 0
    for moment in first + second { moment.value.setToZero() }
  }
}
