/// How an ``RNGD`` goes by more than its last gradient.
public struct NaturalMomentum: Equatable, Sendable, CustomStringConvertible {
  public enum Place: String, CaseIterable, Sendable {
    /// M ← β M + (1 − β) g, and δ = (Ĝ + λI)⁻¹ M/(1 − βᵗ): gradients are averaged before they are preconditioned, by the
    /// matrix of now, and a long average does not remember old matrices. With Nesterov β M + (1 − β) g takes M's place.
    case before
    /// U ← β U + (1 − β)(Ĝ + λI)⁻¹g, and δ = U/(1 − βᵗ): directions are averaged, each by the matrix that it was made with.
    /// The trust region measures Uᵀ(Ĝ + λI)U by the average of g, which is exact while Ĝ stays.
    case after
  }

  /// β, in [0, 1); 0 for the last gradient alone.
  public var share: Double
  public var place: Place
  public var isNesterov: Bool

  public init(_ share: Double, _ place: Place = .before, isNesterov: Bool = false) {
    (self.share, self.place, self.isNesterov) = (share, place, isNesterov)
  }

  public static var none: NaturalMomentum { NaturalMomentum(0) }

  public var description: String {
    share == 0 ? "none" : "\(share), \(place.rawValue) preconditioning" + (isNesterov ? ", Nesterov's" : "")
  }

  func validate() throws(FisherError) { try requireShare(share, "momentum") }
}

/// A running mean of gradients or directions of one parameter: mean ← β mean + (1 − β) g, and what a step goes by.
final class RunningMean<Scalar: KernelScalar>: State {
  private var mean: Matrix<Scalar>
  /// Π β: what is left of the zeros that it began with.
  private var kept = 1.0

  init(like parameter: Parameter<Scalar>) throws(FisherError) {
    mean = try Matrix(rows: parameter.neurons, columns: parameter.order, what: "\(parameter.name): running mean")
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("mean", &mean)
    try visitor.visit("kept", &kept)
  }

  /// The gradient becomes the mean, without what the zeros leave of it; with Nesterov the mean as the next gradient would
  /// find it, if it were this one again.
  func average(_ gradient: inout Matrix<Scalar>, share: Double, isNesterov: Bool) {
    mean.blend(&gradient, shares(share, isNesterov: isNesterov))
  }

  /// The same in one pass with ``Matrix/take(_:weights:l2:average:_:squares:)``.
  func take(
    _ gradient: inout Matrix<Scalar>, weights: borrowing Matrix<Scalar>, l2: Double, into kept: inout Matrix<Scalar>,
    share: Double, isNesterov: Bool, squares: inout [Double]
  ) {
    kept.take(
      &gradient, weights: weights, l2: l2, average: &mean, shares(share, isNesterov: isNesterov), squares: &squares)
  }

  private func shares(_ share: Double, isNesterov: Bool) -> RunningShares {
    kept *= share
    guard isNesterov else { return RunningShares(keep: share, take: 1 - share, mean: 1 / (1 - kept), rest: 0) }
    // (of what the zeros would leave a step further on)
    let whole = 1 - share * kept
    return RunningShares(keep: share, take: 1 - share, mean: share / whole, rest: (1 - share) / whole)
  }

  func restart() {
    mean.setToZero()
    kept = 1
  }
}
