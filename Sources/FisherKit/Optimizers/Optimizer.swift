/// Takes steps on a model's parameters, given their gradients.
///
/// All optimizers here add coupled L2 to the gradient before anything else: g = ∂L/∂W + l2 · W, on weights and not on
/// biases, the gradient of ½ l2 ‖W‖².
public protocol Optimizer<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  var name: String { get }
  /// γ, used by the next step.
  var learningRate: Double { get set }
  /// Allocates all that steps on this model with mini-batches of up to `batchSize` samples need. Called once; a second
  /// model needs a second optimizer.
  func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError)
  /// One step, from the gradients of the model's last mini-batch.
  /// - Returns: failures that the optimizer survived by a documented fallback.
  func step(_ model: any Model<Scalar>) throws(FisherError) -> [FactorizationFailure]
  /// The memory that it holds.
  var bytes: Int { get }
}

/// Checks a number that a user chooses.
func require(
  _ condition: Bool, _ what: String, expected: String, found: Double
) throws(FisherError) {
  guard condition else { throw .invalidArgument(what: what, expected: expected, found: "\(found)") }
}

func requireStep(learningRate: Double, l2: Double) throws(FisherError) {
  try require(
    learningRate > 0 && learningRate.isFinite, "learning rate", expected: "a positive number", found: learningRate)
  try require(l2 >= 0 && l2.isFinite, "l2", expected: "a number from 0 up", found: l2)
}
