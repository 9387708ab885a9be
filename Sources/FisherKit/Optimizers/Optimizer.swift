/// Takes steps on a model's parameters, given their gradients.
///
/// A training loop of one's own prepares the optimizer once, and then, for each mini-batch, fills the model's input,
/// takes the gradients and steps:
///
///     let optimizer = try RNGD<Float>(learningRate: 0.01)
///     try optimizer.prepare(for: model, batchSize: 50)
///     for (features, labels) in batches {
///       model.input.assign(features, bias: true)    // one row a sample, or all in one array; a bias column behind
///       let score = model.gradients(labels: labels.span)
///       _ = try optimizer.step(model)
///     }
///
/// All optimizers here add coupled L2 to the gradient before anything else: g = ∂L/∂W + l2 · W, on weights and not on
/// biases, the gradient of ½ l2 ‖W‖². Parameters that are not ``Parameter/isDecayed`` go without.
public protocol Optimizer<Scalar>: State {
  associatedtype Scalar: KernelScalar
  var name: String { get }
  /// γ, used by the next step.
  var learningRate: Double { get set }
  /// Allocates all that steps on this model with mini-batches of up to `batchSize` samples need. Called once; a second
  /// model needs a second optimizer.
  func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError)
  /// One step, from the gradients of the model's last mini-batch.
  /// - Throws: `nonFinite` when a gradient holds a NaN or an infinity, before any weight is touched.
  /// - Returns: what went wrong and was survived.
  func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident]
  /// Whether it wants to know what the last step made of the loss of its mini-batch: see ``note(loss:after:)``. By default
  /// not.
  var wantsLossAfterStep: Bool { get }
  /// The loss of the last step's mini-batch before the step and after it, by the same pass. A training loop calls it where
  /// ``wantsLossAfterStep`` says so.
  func note(loss: Double, after: Double)
  /// Forgets what it gathered from gradients and mini-batches, after the weights were put back to earlier ones. By default
  /// there is nothing to forget.
  func restart()
  /// How each layer's Fisher matrix is held, once it is prepared; by default none is.
  var plan: [LayerPlan] { get }
  /// How many of the steps so far a trust region made shorter, parameter by parameter; by default there is none.
  var boundSteps: [(name: String, steps: Int)] { get }
  /// Takes the times of its steps' parts from now on, or no longer.
  /// - Returns: whether it does; by default not, and whoever calls takes the time of a step as a whole.
  func measure(by profile: StepProfile?) -> Bool
  /// The memory that it holds.
  var bytes: Int { get }
  /// What it was made with, by name, but for the learning rate and what ``plan`` says: a checkpoint belongs to a run with the
  /// same. By default nothing.
  var settings: [String: String] { get }
  /// Shows what it holds between two steps. By default it does not say, and cannot be saved.
  func visit(_ visitor: StateVisitor) throws
}

extension Optimizer {
  public var wantsLossAfterStep: Bool { false }
  public func note(loss: Double, after: Double) {}
  public func restart() {}
  public var plan: [LayerPlan] { [] }
  public var boundSteps: [(name: String, steps: Int)] { [] }
  public func measure(by profile: StepProfile?) -> Bool { false }
  public var settings: [String: String] { [:] }
  public func visit(_ visitor: StateVisitor) throws { try visitor.refuse(self, bytes: bytes) }
}

extension Model {
  /// Checks that every gradient, or what an optimizer made of it, holds numbers only.
  func requireFiniteGradients(_ what: String = "gradient", step: Int) throws(FisherError) {
    for parameter in parameters where !parameter.gradient.isFinite {
      throw .nonFinite(what: "\(what) of \(parameter.name)", step: step)
    }
  }
}

extension Parameter {
  /// Coupled L2: gradient += l2 · value, but for the last column, and for a parameter that is not decayed.
  func addWeightDecay(l2: Double) {
    if isDecayed { gradient.addWeightDecay(value, l2: l2) }
  }
}

extension Model {
  /// What w ← w − γ g takes: weights and gradients read, weights written.
  var updateWork: Work {
    // (a loop: generic `reduce` allocates, and this is done at every step)
    var count = 0
    for parameter in parameters { count += parameter.neurons * parameter.order }
    let weights = Double(count)
    return Work(products: 2 * weights, bytes: 3 * weights * Double(MemoryLayout<Scalar>.stride))
  }
}

/// Checks the numbers that every optimizer has.
func requireStep(learningRate: Double, l2: Double) throws(FisherError) {
  // (what a Float can hold, both ways)
  try require(
    learningRate >= 1e-30 && learningRate <= 1e30, "learning rate", expected: "a number from 1e-30 to 1e30",
    found: learningRate)
  try require(l2 >= 0 && l2 <= 1e30, "l2", expected: "a number from 0 to 1e30", found: l2)
}
