extension SampledBlock where Scalar == Double {
  /// Conjugate gradients on (Ĝ + λI)x = v, preconditioned by the damped diagonal blocks, whose Cholesky factors are
  /// computed once. Memory: m blocks of d(d+1)/2 elements and a dozen matrices (m,d). Cost of an iteration: one product
  /// and 2md² flops.
  ///
  /// The residual that the recurrence carries drifts away from the true one by rounding. So a run is followed by a look
  /// at the true residual, in twice the precision, and where that is too large by another run for the rest. It ends when
  /// ‖r‖ ≤ tolerance ‖v‖, or without a tolerance when ‖r‖/λ, a bound on the error, is within what solves promise.
  /// - Throws: `notConverged` after so many iterations, or when four runs did not halve the least r so far.
  func solveByConjugateGradients(
    _ vectors: inout Matrix<Double>, damping: Double, tolerance: Double?, iterations: Int
  ) throws(FisherError) -> SolveReport {
    if let tolerance {
      try require(tolerance > 0 && tolerance < 1, "tolerance", expected: "a number in (0, 1)", found: tolerance)
    }
    var refinement = try makeRefinement(damping: damping)
    var run = try ConjugateGradientRun(self, damping: damping)
    var solution = try TwofoldMatrix(rows: neurons, columns: order, what: "solution in twice the precision")
    var step = try vectors.inDouble(what: "correction")
    var right = try vectors.inDouble(what: "right-hand side")
    let scales = refinement.scales(of: vectors)
    right.scaleRows(by: scales)
    var residual = try right.inDouble(what: "residual")
    let sizes = refinement.norms(right)
    let size = sizes.first ?? 0
    var (error, best, stalls, bound) = (size > 0 ? 1.0 : 0, 1.0, 0, size > 0 ? Double.infinity : 0)
    while !(tolerance.map { error <= $0 } ?? (bound <= Refinement.tolerance)) {
      guard run.iterations < iterations, error.isFinite, stalls < 4 else {
        throw .notConverged(
          what: "conjugate gradients", iterations: run.iterations, residual: tolerance == nil ? bound : error,
          tolerance: tolerance ?? Refinement.tolerance)
      }
      try run.solve(&step, &residual, until: (tolerance ?? 0) * size / 2, iterations: iterations)
      solution.add(step)
      try refinement.setToResidual(&residual, right, solution)
      let norms = refinement.norms(residual)
      error = refinement.largest(norms, over: sizes)
      bound = refinement.errorBound(residual: norms, solution: solution.high)
      if !(error <= best / 2) { stalls += 1 }
      best = min(best, error)
    }
    vectors.copy(from: solution.high)
    vectors.scaleRows(by: scales.map { 1 / $0 })
    return SolveReport(
      route: .conjugateGradients(tolerance: tolerance ?? max(error, .leastNormalMagnitude), iterations: iterations),
      iterations: run.iterations, residual: error, errorBound: bound.isFinite ? bound : nil)
  }
}

/// The memory of a solve by conjugate gradients, and how far it has come.
///
/// The iterative metric has a recurrence of its own: there each neuron has its step and stands still when it is done, in
/// the precision of the model, where this is one system in double, judged by the norm of all, and says so when it breaks
/// down.
private struct ConjugateGradientRun: ~Copyable {
  private let matrix: SampledBlock<Double>
  private let damping: Double
  private let preconditioner: BlockFactors
  private var direction: Matrix<Double>
  private var product: Matrix<Double>
  private var conditioned: Matrix<Double>
  private(set) var iterations = 0

  init(_ matrix: SampledBlock<Double>, damping: Double) throws(FisherError) {
    let (m, d) = (matrix.neurons, matrix.order)
    var weights = try Matrix<Double>(rows: matrix.samples, columns: m, what: "weights of the diagonal blocks")
    try matrix.covariance.diagonal(into: &weights)
    let preconditioner = try BlockFactors(inputs: matrix.observations.inputs, nu: weights, damping: damping)
    let direction = try Matrix<Double>(rows: m, columns: d, what: "search direction")
    let product = try Matrix<Double>(rows: m, columns: d, what: "product")
    let conditioned = try Matrix<Double>(rows: m, columns: d, what: "preconditioned residual")
    self.matrix = matrix
    self.damping = damping
    self.preconditioner = preconditioner
    self.direction = direction
    self.product = product
    self.conditioned = conditioned
  }

  /// One run of the recurrence from 0, for this residual as the right-hand side: until the residual's norm is below
  /// `bound`, has come down by the square root of the rounding unit, or has had four times as many iterations as there
  /// are unknowns, which rounding may take.
  mutating func solve(
    _ solution: inout Matrix<Double>, _ residual: inout Matrix<Double>, until bound: Double, iterations limit: Int
  ) throws(FisherError) {
    solution.setToZero()
    let start = residual.dot(residual).squareRoot()
    let bound = max(bound, start * 0x1p-26)
    var rho = 0.0
    for step in 0..<(4 * matrix.neurons * matrix.order + 20) {
      conditioned.copy(from: residual)
      preconditioner.solve(&conditioned)
      let next = residual.dot(conditioned)
      direction.combine(step == 0 ? 0 : next / rho, 1, conditioned)
      rho = next
      try matrix.multiply(&product, direction)
      product.combine(1, damping, direction)
      let curvature = direction.dot(product)
      solution.combine(1, rho / curvature, direction)
      residual.combine(1, -rho / curvature, product)
      iterations += 1
      let error = residual.dot(residual).squareRoot()
      if !(error > bound) || iterations == limit { return }
    }
  }
}
