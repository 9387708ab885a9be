/// An optimizer whose rate need not fall, in place of a schedule (Defazio et al. 2024, "The Road Less Scheduled"): gradients are
/// taken between where steps lead and their average, which is what the model is evaluated with and kept as. In step t, from
/// x₀ = z₀ = w₀,
///
///     y_t = (1 − β) z_t + β x_t,   z_{t+1} = z_t + (what the optimizer within makes of y_t, less y_t),
///     x_{t+1} = (1 − c_t) x_t + c_t z_{t+1},   c_t = γ_t² / Σ_{s ≤ t} γ_s²,
///
/// where γ_t is the largest rate until then, so that steps of a warm-up count for less. The model holds y while it trains, so
/// that decay and Fisher matrices are of y; and x while it is evaluated. β takes the place of momentum: the optimizer within
/// best has none (``SGD``, ``Adam`` with β₁ = 0, ``RNGD``). A falling schedule within is allowed, and is not needed.
///
/// Running means of a normalisation are of y, and serve for x only as far as the two are near each other.
/// Memory: the parameters twice more. Cost: one pass over them.
public final class ScheduleFree<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// β
  public let beta: Double
  private var ends: [KeptMatrix<Scalar>] = []
  /// x
  private var averages = EvaluatedWeights<Scalar>()
  private var steps = 0
  private var largestRate = 0.0
  /// Σ γ_s²
  private var weight = 0.0

  /// - Parameter beta: in [0, 1); at 0 gradients are taken at z, and x is an average of it.
  /// - Throws: `invalidArgument` also for an optimizer whose damping goes by the loss after its steps: y does not take the
  ///   whole of them.
  public init(_ inner: any Optimizer<Scalar>, beta: Double = 0.9) throws(FisherError) {
    try requireShare(beta, "schedule-free")
    if inner.all(RNGD<Scalar>.self).contains(where: { $0.damping.isAdaptive }) {
      throw .invalidArgument(
        what: "schedule-free", expected: "an optimizer with fixed damping", found: "damping that adapts to its steps")
    }
    (self.inner, self.beta) = (inner, beta)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
    begin()
    ends = []
    for parameter in model.parameters { ends.append(try KeptMatrix(like: parameter, what: "end of steps")) }
    averages = try EvaluatedWeights(of: model, what: "average of steps' ends")
  }

  private func begin() { (steps, largestRate, weight) = (0, 0, 0) }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    averages.demandReady(for: parameters)
    if steps == 0 {
      for i in parameters.indices {
        ends[i].value.copy(from: parameters[i].value)
        averages.kept[i].value.copy(from: parameters[i].value)
      }
    }
    let incidents = try inner.step(model)
    steps += 1
    // (in units of the largest, whose square may not be a number)
    let rate = inner.learningRate
    if rate > largestRate {
      weight *= (largestRate / rate) * (largestRate / rate)
      largestRate = rate
    }
    weight += 1
    for i in parameters.indices {
      parameters[i].value.scheduleFree(&ends[i].value, mean: &averages.kept[i].value, beta: beta, share: 1 / weight)
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

  /// Begins anew from the weights of the next step.
  public func restart() {
    begin()
    inner.restart()
  }

  public var settings: [String: String] {
    inner.settings.merging(["schedule-free": "\(beta)"]) { $1 }
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    try visitor.visit("largest rate", &largestRate)
    try visitor.visit("weight", &weight)
    try visitor.visit("ends of steps", ends)
    try averages.visit(visitor, as: "average of steps' ends")
    try visitor.child("optimizer", inner)
  }
}
