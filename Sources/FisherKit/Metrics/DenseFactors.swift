/// One damped matrix, of a whole layer or of all its neurons in common, by its Cholesky factor; and the way on when it has
/// none, the same as that of ``NeuronFactors``.
///
/// Memory: k² elements for order k, twice where that is no more than 32 MB. Cost of a refresh beside what forms the
/// matrix: k³/3 flops.
final class DenseFactors<Scalar: KernelScalar>: State {
  /// Forms the lower triangle, undamped.
  typealias Form = (_ matrix: inout Matrix<Scalar>) throws(FisherError) -> Void
  typealias FormDouble = (_ matrix: inout Matrix<Double>) throws(FisherError) -> Void

  private let site: CurvatureSite<Scalar>
  private let order: Int
  /// The elements of the diagonal that a relative damping takes the mean of.
  private let whole: Int
  private var current: Matrix<Scalar>
  private var next: Matrix<Scalar>
  private let isKept: Bool
  private var isReady = false

  /// - Parameter whole: the order of the whole matrix, of which this is a projection.
  init(for site: CurvatureSite<Scalar>, order: Int, whole: Int) throws(FisherError) {
    (self.site, self.order, self.whole) = (site, order, whole)
    current = try Matrix(rows: order, columns: order, what: "\(site.name): Cholesky factor of order \(order)")
    isKept = current.bytes <= NeuronFactors<Scalar>.keptLimit
    next = try Matrix(
      rows: isKept ? order : 0, columns: order, what: "\(site.name): next Cholesky factor of order \(order)")
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("current", &current)
    try visitor.visit("is ready", &isReady)
    visitor.scratch("next", next)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, order: Int) -> Int {
    let held = site.bytes(order, order)
    return sum(ofBytes: held, held <= NeuronFactors<Scalar>.keptLimit ? held : 0)
  }

  func refresh(form: Form, formDouble: FormDouble) throws(FisherError) {
    if isKept {
      if try make(&next, form: form, formDouble: formDouble) { swap(&current, &next) }
    } else {
      isReady = false
      _ = try make(&current, form: form, formDouble: formDouble)
    }
    isReady = true
  }

  /// Replaces each row v by (LLᵀ)⁻¹v.
  func solve(_ vectors: inout Matrix<Scalar>) { vectors.solve(factor: current) }

  private func isBroken(_ attempt: Int) -> Bool {
    site.incidents.faults?.breaks(layer: site.name, neuron: nil, attempt: attempt) ?? false
  }

  /// - Returns: whether there is a new factor; otherwise the last one stays.
  private func make(
    _ made: inout Matrix<Scalar>, form: Form, formDouble: FormDouble
  ) throws(FisherError) -> Bool {
    var raise = 1.0
    for attempt in 0...Ladder.raises {
      try form(&made)
      let lambda = max(site.lambda(trace: made.trace, order: whole), attempt > 0 ? Ladder.leastDamping : 0) * raise
      if try isFactored(&made, lambda, attempt: attempt) {
        if attempt > 0 { site.report(.raisedDamping, damping: lambda) }
        return true
      }
      raise *= 10
    }
    var matrix = try Matrix<Double>(rows: order, columns: order, what: "\(site.name): matrix in double precision")
    try formDouble(&matrix)
    let diagonal = (0..<order).map { matrix[$0, $0] }
    let lambda = max(
      site.dampingState.lambda(trace: matrix.trace, order: whole, unit: Double.ulpOfOne), .leastNormalMagnitude)
    if !isBroken(Ladder.double), (try? matrix.factor(damping: lambda, parameter: site.name)) != nil {
      for i in 0..<order { for j in 0...i { made[i, j] = Scalar(matrix[i, j]) } }
      if made.isFinite {
        site.report(.doublePrecision, damping: lambda)
        return true
      }
    }
    if isKept, isReady, !isBroken(Ladder.lastGood) {
      site.report(.lastGoodBlock)
      return false
    }
    made.setToZero()
    let roots = diagonal.map { ($0 + lambda).squareRoot() }
    if !isBroken(Ladder.diagonal), roots.allSatisfy({ Scalar($0) > 0 && Scalar($0).isFinite }) {
      for i in 0..<order { made[i, i] = Scalar(roots[i]) }
      site.report(.diagonal)
    } else {
      for i in 0..<order { made[i, i] = 1 }
      site.report(.plainGradient)
    }
    return true
  }

  private func isFactored(_ made: inout Matrix<Scalar>, _ lambda: Double, attempt: Int) throws(FisherError) -> Bool {
    guard !isBroken(attempt) else { return false }
    do {
      try made.factor(damping: lambda, parameter: site.name)
      return true
    } catch .notPositiveDefinite {
      return false
    }
  }
}

extension CurvatureSite {
  /// What `make` makes of this layer's damping, or where that fails of 10, 100 or 1000 times as much.
  /// - Throws: what it failed with at last.
  func factor(
    trace: Double, order: Int, make: (_ lambda: Double) throws(FisherError) -> any DampedInverse<Scalar>
  ) throws(FisherError) -> any DampedInverse<Scalar> {
    var lambda = lambda(trace: trace, order: order)
    for attempt in 0..<Ladder.raises {
      do throws(FisherError) {
        guard incidents.faults?.breaks(layer: name, neuron: nil, attempt: attempt) != true else {
          throw notFactored(lambda)
        }
        let made = try make(lambda)
        if attempt > 0 { report(.raisedDamping, damping: lambda) }
        return made
      } catch {
        guard case .notPositiveDefinite = error else { throw error }
        lambda = max(lambda, Ladder.leastDamping) * 10
      }
    }
    guard incidents.faults?.breaks(layer: name, neuron: nil, attempt: Ladder.raises) != true else {
      throw notFactored(lambda)
    }
    let made = try make(lambda)
    report(.raisedDamping, damping: lambda)
    return made
  }

  /// What a factorisation says that cannot be, or is broken on purpose.
  func notFactored(_ lambda: Double) -> FisherError {
    .notPositiveDefinite(
      FactorizationFailure(
        parameter: name, neuron: nil, pivot: 0, value: 0, failedBlocks: 1, blocks: 1, order: order, damping: lambda))
  }
}
