/// An optimizer with an exponential average of the weights, by which the model is evaluated and kept: after step t
/// w̄ ← β_t w̄ + (1 − β_t) w, with β_t = min(β, t/(t + 9)), and 0 at first, so that a short run's average is not of its start (Polyak &
/// Juditsky 1992; Tan & Le 2019). Training goes on from w. Running means of a normalisation are averages already, and stay
/// as they are. With ``AccumulatedGradients`` it belongs inside of them, where each of its steps is one.
public final class AveragedWeights<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// β
  public let decay: Double
  /// w̄
  private var averages = EvaluatedWeights<Scalar>()
  private var steps = 0

  /// - Parameter decay: in [0, 1).
  public init(_ inner: any Optimizer<Scalar>, decay: Double = 0.999) throws(FisherError) {
    try requireShare(decay, "average of weights")
    (self.inner, self.decay) = (inner, decay)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
    averages = try EvaluatedWeights(of: model, what: "average of weights")
    steps = 0
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    averages.demandReady(for: parameters)
    let incidents = try inner.step(model)
    steps += 1
    let share = min(decay, Double(steps) / (Double(steps) + 9))
    for i in parameters.indices {
      // (what was before may be no numbers)
      if steps == 1 {
        averages.kept[i].value.copy(from: parameters[i].value)
      } else {
        averages.kept[i].value.combine(share, 1 - share, parameters[i].value)
      }
    }
    return incidents
  }

  public func beginEvaluation(_ model: any Model<Scalar>) {
    inner.beginEvaluation(model)
    averages.begin(model, isThere: steps > 0)
  }

  public func endEvaluation(_ model: any Model<Scalar>) {
    averages.end(model, isThere: steps > 0)
    inner.endEvaluation(model)
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
    try averages.visit(visitor, as: "average of weights")
    try visitor.child("optimizer", inner)
  }
}
