/// An optimizer with an exponential average of the weights, by which the model is evaluated and kept: after step t
/// w̄ ← β_t w̄ + (1 − β_t) w, with β_t = min(β, t/(t + 9)), and 0 at first, so that a short run's average is not of its start (Polyak &
/// Juditsky 1992; Tan & Le 2019). Training goes on from w. Running means of a normalisation are averages already, and stay
/// as they are. With ``AccumulatedGradients`` it belongs inside of them, where each of its steps is one.
public final class AveragedWeights<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// β
  public let decay: Double
  /// w̄; while the model is evaluated, w.
  private var averages: [KeptMatrix<Scalar>] = []
  private var steps = 0
  private var isEvaluating = false

  /// - Parameter decay: in [0, 1).
  public init(_ inner: any Optimizer<Scalar>, decay: Double = 0.999) throws(FisherError) {
    try requireShare(decay, "average of weights")
    (self.inner, self.decay) = (inner, decay)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
    (averages, steps, isEvaluating) = ([], 0, false)
    for parameter in model.parameters {
      let kept = try KeptMatrix(like: parameter, what: "average of weights")
      kept.value.copy(from: parameter.value)
      averages.append(kept)
    }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    demand(averages.count == parameters.count, "prepare the optimizer for this model first")
    demand(!isEvaluating, "a step while the average is in place: end the evaluation first")
    let incidents = try inner.step(model)
    steps += 1
    let share = min(decay, Double(steps) / (Double(steps) + 9))
    for i in parameters.indices {
      // (what was before may be no numbers)
      if steps == 1 {
        averages[i].value.copy(from: parameters[i].value)
      } else {
        averages[i].value.combine(share, 1 - share, parameters[i].value)
      }
    }
    return incidents
  }

  public func beginEvaluation(_ model: any Model<Scalar>) {
    inner.beginEvaluation(model)
    if !isEvaluating { exchange(model) }
    isEvaluating = true
  }

  public func endEvaluation(_ model: any Model<Scalar>) {
    if isEvaluating { exchange(model) }
    isEvaluating = false
    inner.endEvaluation(model)
  }

  /// (before the first step, and after the weights were put back, there is no average)
  private func exchange(_ model: any Model<Scalar>) {
    guard steps > 0 else { return }
    let parameters = model.parameters
    for i in parameters.indices { parameters[i].value.exchangeStorage(with: &averages[i].value) }
  }

  /// The average begins anew with the weights of the next step.
  public func restart() {
    steps = 0
    inner.restart()
  }

  public var settings: [String: String] {
    inner.settings.merging(["average of weights": "\(decay)"]) { $1 }
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("is evaluating", &isEvaluating)
    try visitor.visit("average of weights", averages)
    try visitor.child("optimizer", inner)
  }
}
