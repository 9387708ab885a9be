extension SampledBlock {
  /// Conjugate gradients on (Ĝ + λI)x = v, preconditioned by the damped diagonal blocks, whose Cholesky factors are
  /// computed once. Memory: m blocks of d(d+1)/2 elements and six matrices (m,d). Cost of an iteration: one product
  /// and 2md² flops.
  ///
  /// The residual that the recurrence carries drifts away from the true one by rounding. So a run is followed by a look
  /// at the true residual, and where that is too large by another run for the rest. It ends when ‖r‖ ≤ tolerance ‖v‖, or
  /// when two runs did not halve the least r so far and it is no more than √u ‖v‖: rounding lets it come no nearer.
  func solveByConjugateGradients(
    _ vectors: inout Matrix<Scalar>, damping: Double, tolerance: Double, iterations: Int
  ) throws(FisherError) -> SolveReport {
    try require(tolerance > 0 && tolerance < 1, "tolerance", expected: "a number in (0, 1)", found: tolerance)
    var run = try ConjugateGradientRun(self, damping: damping)
    var solution = try Matrix<Scalar>(rows: neurons, columns: order, what: "solution")
    var residual = try Matrix<Scalar>(rows: neurons, columns: order, what: "residual")
    residual.copy(from: vectors)
    let size = residual.dot(residual).squareRoot()
    let nearest = Double(Scalar.ulpOfOne).squareRoot() * size
    var (error, best, stalls) = (size, size, 0)
    while !(error <= tolerance * size), !(stalls >= 2 && error <= nearest) {
      guard run.iterations < iterations, error.isFinite else {
        throw .notConverged(
          what: "conjugate gradients", iterations: run.iterations, residual: error / size, tolerance: tolerance)
      }
      try run.correct(&solution, &residual, until: tolerance * size / 2, iterations: iterations)
      try run.setTrueResidual(&residual, vectors, solution)
      let next = residual.dot(residual).squareRoot()
      if next > best / 2 { stalls += 1 }
      best = min(best, next)
      error = next
    }
    vectors.copy(from: solution)
    return SolveReport(
      route: .conjugateGradients(tolerance: tolerance, iterations: iterations), iterations: run.iterations,
      residual: size > 0 ? error / size : 0)
  }
}

/// The memory of a solve by conjugate gradients, and how far it has come.
private struct ConjugateGradientRun<Scalar: KernelScalar>: ~Copyable {
  private let matrix: SampledBlock<Scalar>
  private let damping: Double
  private let preconditioner: DampedBlocks<Scalar>
  private var direction: Matrix<Scalar>
  private var product: Matrix<Scalar>
  private var conditioned: Matrix<Scalar>
  private(set) var iterations = 0

  init(_ matrix: SampledBlock<Scalar>, damping: Double) throws(FisherError) {
    let (m, d) = (matrix.neurons, matrix.order)
    let preconditioner = try DampedBlocks(try matrix.diagonalBlocks(), damping: damping)
    let direction = try Matrix<Scalar>(rows: m, columns: d, what: "search direction")
    let product = try Matrix<Scalar>(rows: m, columns: d, what: "product")
    let conditioned = try Matrix<Scalar>(rows: m, columns: d, what: "preconditioned residual")
    self.matrix = matrix
    self.damping = damping
    self.preconditioner = preconditioner
    self.direction = direction
    self.product = product
    self.conditioned = conditioned
  }

  /// One run of the recurrence from this residual: adds to the solution until the residual's norm is below `bound`, has
  /// come down by the square root of the rounding unit, or has had as many iterations as there are unknowns, and some.
  mutating func correct(
    _ solution: inout Matrix<Scalar>, _ residual: inout Matrix<Scalar>, until bound: Double, iterations limit: Int
  ) throws(FisherError) {
    let start = residual.dot(residual).squareRoot()
    let bound = max(bound, start * Double(Scalar.ulpOfOne).squareRoot())
    var rho = 0.0
    for step in 0..<(matrix.neurons * matrix.order + 20) {
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

  /// residual = v − (Ĝ + λI)x
  mutating func setTrueResidual(
    _ residual: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>, _ solution: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    try matrix.multiply(&product, solution)
    product.combine(1, damping, solution)
    residual.copy(from: vectors)
    residual.combine(1, -1, product)
  }
}

/// Blocks G_i + λI, factored.
final class DampedBlocks<Scalar: KernelScalar> {
  private let factors: BlockBatch<Scalar>
  private let workspace: BlockWorkspace

  init(_ blocks: NeuronBlocks<Scalar>, damping: Double) throws(FisherError) {
    var factors = try blocks.copyOfBlocks()
    let workspace = try factors.makeWorkspace(samples: 1)
    try factors.factor(damping: damping, parameter: "Fisher matrix", workspace: workspace)
    self.factors = factors
    self.workspace = workspace
  }

  /// Replaces row i of V by (G_i + λI)⁻¹ times it.
  func solve(_ vectors: inout Matrix<Scalar>) { factors.solve(&vectors, workspace: workspace) }
}
