extension SampledBlock {
  /// Conjugate gradients on (Ĝ + λI)x = v, preconditioned by the damped diagonal blocks, whose Cholesky factors are
  /// computed once. Memory: m blocks of d(d+1)/2 elements and five matrices (m,d). Cost of an iteration: one product
  /// and 2md² flops.
  func solveByConjugateGradients(
    _ vectors: inout Matrix<Scalar>, damping: Double, tolerance: Double, iterations: Int
  ) throws(FisherError) -> SolveReport {
    try require(tolerance > 0 && tolerance < 1, "tolerance", expected: "a number in (0, 1)", found: tolerance)
    let (m, d) = (neurons, order)
    let preconditioner = try DampedBlocks(try diagonalBlocks(), damping: damping)
    var solution = try Matrix<Scalar>(rows: m, columns: d, what: "solution")
    var residual = try Matrix<Scalar>(rows: m, columns: d, what: "residual")
    var direction = try Matrix<Scalar>(rows: m, columns: d, what: "search direction")
    var product = try Matrix<Scalar>(rows: m, columns: d, what: "product")
    var conditioned = try Matrix<Scalar>(rows: m, columns: d, what: "preconditioned residual")
    residual.copy(from: vectors)
    let size = residual.dot(residual).squareRoot()
    var error = size
    var rho = 0.0
    var iteration = 0
    while error > tolerance * size {
      guard iteration < iterations, error.isFinite else {
        throw .notConverged(
          what: "conjugate gradients", iterations: iteration, residual: error / size, tolerance: tolerance)
      }
      conditioned.copy(from: residual)
      preconditioner.solve(&conditioned)
      let next = residual.dot(conditioned)
      direction.combine(iteration == 0 ? 0 : next / rho, 1, conditioned)
      rho = next
      try multiply(&product, direction)
      product.combine(1, damping, direction)
      let alpha = rho / direction.dot(product)
      solution.combine(1, alpha, direction)
      iteration += 1
      // What is left is computed anew from time to time: the recurrence drifts away from it by rounding.
      if iteration % 50 == 0 {
        try multiply(&product, solution)
        product.combine(1, damping, solution)
        residual.copy(from: vectors)
        residual.combine(1, -1, product)
      } else {
        residual.combine(1, -alpha, product)
      }
      error = residual.dot(residual).squareRoot()
    }
    vectors.copy(from: solution)
    return SolveReport(route: .conjugateGradients(tolerance: tolerance, iterations: iterations), iterations: iteration)
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
