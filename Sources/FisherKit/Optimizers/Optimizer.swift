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
/// Weights decay as its ``WeightDecay`` says. A number that changes as training goes on is a ``ScheduledOptimizer``'s matter,
/// clipping that of ``ClippedGradients``, steps of several mini-batches that of ``AccumulatedGradients``, averages of weights
/// that of ``AveragedWeights`` and ``ScheduleFree``, and other settings for some of the parameters that of ``OptimizerGroups``: each of them is an
/// optimizer around others.
public protocol Optimizer<Scalar>: State {
  associatedtype Scalar: KernelScalar
  var name: String { get }
  /// γ, used by the next step.
  var learningRate: Double { get set }
  /// Allocates all that steps on this model take. Called once; a second model needs a second optimizer.
  func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError)
  /// One step, from the gradients of the model's last mini-batch.
  /// - Throws: `nonFinite` when a gradient holds a NaN or an infinity, before any weight is touched.
  /// - Returns: what went wrong and was survived.
  func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident]
  /// Takes note of a mini-batch that is not the last one of its step. By default there is nothing to note.
  func observe(_ model: any Model<Scalar>) throws(FisherError)
  /// A number of its that may change between two steps; `nil` where it has none of that kind.
  func value(of number: OptimizerNumber) -> Double?
  /// Changes it for the next steps.
  func set(_ number: OptimizerNumber, to value: Double)
  /// Learns how long training is going to be, before its first step.
  func expect(_ run: RunLength)
  /// Puts the weights that are to be judged and kept in place of those that it trains, and takes them back. By default they
  /// are the same.
  func beginEvaluation(_ model: any Model<Scalar>)
  func endEvaluation(_ model: any Model<Scalar>)
  /// The optimizers that it is made of; by default none.
  var parts: [any Optimizer<Scalar>] { get }
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

/// A number of an optimizer that schedules may change.
public enum OptimizerNumber: String, CaseIterable, Sendable {
  /// γ
  case learningRate = "learning rate"
  /// λ, as a factor of the damping that it was made with; it takes effect with the next refresh of a matrix.
  case damping
  /// κ
  case trustRegion = "trust region"
  /// What is left of the gradients before at each step: μ, or β₁.
  case momentum

  /// What a schedule may make of it, in words.
  var range: String { self == .momentum ? "a number in [0, 1)" : "a number from 0 to 1e30" }

  func allows(_ value: Double) -> Bool { value >= 0 && (self == .momentum ? value < 1 : value <= 1e30) }
}

/// What comes before a step.
public struct MiniBatches: Equatable, Sendable {
  /// The most samples in a mini-batch.
  public var samples: Int
  /// Mini-batches whose gradients make a step.
  public var perStep: Int

  public init(of samples: Int, perStep: Int = 1) { (self.samples, self.perStep) = (samples, perStep) }

  public var samplesPerStep: Int { samples * perStep }
}

extension Optimizer {
  /// Prepares for a step after each mini-batch of up to `batchSize` samples.
  public func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    try prepare(for: model, batches: MiniBatches(of: batchSize))
  }

  public func observe(_ model: any Model<Scalar>) throws(FisherError) {}
  public func value(of number: OptimizerNumber) -> Double? { number == .learningRate ? learningRate : nil }
  public func set(_ number: OptimizerNumber, to value: Double) { if number == .learningRate { learningRate = value } }
  public func expect(_ run: RunLength) {}
  public func beginEvaluation(_ model: any Model<Scalar>) {}
  public func endEvaluation(_ model: any Model<Scalar>) {}
  public var parts: [any Optimizer<Scalar>] { [] }
  public var wantsLossAfterStep: Bool { false }
  public func note(loss: Double, after: Double) {}
  public func restart() {}
  public var plan: [LayerPlan] { [] }
  public var boundSteps: [(name: String, steps: Int)] { [] }
  public func measure(by profile: StepProfile?) -> Bool { false }
  public var settings: [String: String] { [:] }
  public func visit(_ visitor: StateVisitor) throws { try visitor.refuse(self, bytes: bytes) }

  /// It, or what is in it, where it is of this type: `optimizer.all(RNGD<Float>.self)`.
  public func all<Kind>(_ kind: Kind.Type) -> [Kind] {
    ((self as? Kind).map { [$0] } ?? []) + parts.flatMap { $0.all(kind) }
  }
}

extension Model {
  /// Checks that every gradient, or what an optimizer made of it, holds numbers only.
  func requireFiniteGradients(_ what: String = "gradient", step: Int) throws(FisherError) {
    for parameter in parameters where !parameter.gradient.isFinite {
      throw .nonFinite(what: "\(what) of \(parameter.name)", step: step)
    }
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
func requireStep(learningRate: Double, decay: WeightDecay) throws(FisherError) {
  // (what a Float can hold, both ways)
  try require(
    learningRate >= 1e-30 && learningRate <= 1e30, "learning rate", expected: "a number from 1e-30 to 1e30",
    found: learningRate)
  try decay.validate()
}

/// Checks what is left of something at each step.
func requireShare(_ value: Double, _ name: String) throws(FisherError) {
  try require(value >= 0 && value < 1, name, expected: "a number in [0, 1)", found: value)
}
