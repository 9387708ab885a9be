extension SampledBlock {
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    switch route {
    case .dense: return try solveDense(&vectors, damping: damping, memoryCap: memoryCap)
    case .lowRank: return try solveLowRank(&vectors, damping: damping, memoryCap: memoryCap)
    case .conjugateGradients(let tolerance, let iterations):
      return try solveByConjugateGradients(&vectors, damping: damping, tolerance: tolerance, iterations: iterations)
    case .automatic:
      return try solve(
        &vectors, damping: damping, route: try cheapestRoute(damping: damping, memoryCap: memoryCap),
        memoryCap: memoryCap)
    }
  }

  /// Low rank where there are fewer factors than weights, else dense; conjugate gradients where neither fits the cap, or
  /// where factoring would take far longer than a thousand products.
  private func cheapestRoute(damping: Double, memoryCap: Int) throws(FisherError) -> SolveRoute {
    let size = neurons * order
    let smaller = min(size, rankBound)
    let isCheap = Double(smaller) * Double(smaller) * Double(smaller) / 3 < 4000 * Double(samples) * Double(size) + 1e9
    let fits = (try? Matrix<Scalar>.bytes(rows: smaller, columns: smaller)).map { 2 * $0 <= memoryCap } ?? false
    guard isCheap && fits || damping == 0 else {
      return .conjugateGradients(tolerance: Double(Scalar.ulpOfOne) * 16, iterations: 2000)
    }
    return rankBound < size && damping > 0 ? .lowRank : .dense
  }

  private func solveDense(
    _ vectors: inout Matrix<Scalar>, damping: Double, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    var factor = try dense(memoryCap: memoryCap)
    try factor.factor(damping: damping, parameter: "Fisher matrix")
    var flat = try Matrix<Scalar>(rows: 1, columns: neurons * order, what: "right-hand side")
    flat.reshape(vectors)
    flat.solve(factor: factor)
    vectors.reshape(flat)
    return SolveReport(route: .dense, iterations: 0)
  }

  // MARK: Low rank

  /// With J (nk, md) the rows b_sa ⊗ x̃_s/√n, Ĝ = JᵀJ, and (λI + JᵀJ)⁻¹v = (v − Jᵀ(λI + JJᵀ)⁻¹Jv)/λ (Woodbury).
  ///
  /// The difference cancels where λ is small, so the solution is refined: x ← x + solve(v − (λI + Ĝ)x).
  private func solveLowRank(
    _ vectors: inout Matrix<Scalar>, damping: Double, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    guard damping > 0 else {
      throw .invalidArgument(what: "damping", expected: "a positive number for a low-rank solve", found: "\(damping)")
    }
    let root = try makeRoot()
    var kernel = try kernelMatrix(memoryCap: memoryCap)
    try kernel.factor(damping: damping, parameter: "kernel matrix of \(rankBound) factors")
    var solution = try Matrix<Scalar>(rows: neurons, columns: order, what: "solution")
    var residual = try Matrix<Scalar>(rows: neurons, columns: order, what: "residual")
    var product = try Matrix<Scalar>(rows: neurons, columns: order, what: "product")
    residual.copy(from: vectors)
    let refinements = 2
    for step in 0...refinements {
      try applyWoodbury(&residual, root: root, factor: kernel, damping: damping)
      solution.combine(1, 1, residual)
      if step == refinements { break }
      try multiply(&product, solution)
      product.combine(1, damping, solution)
      residual.copy(from: vectors)
      residual.combine(1, -1, product)
    }
    guard solution.isFinite else { throw .nonFinite(what: "low-rank solution", step: 0) }
    vectors.copy(from: solution)
    return SolveReport(route: .lowRank, iterations: refinements)
  }

  private func applyWoodbury(
    _ v: inout Matrix<Scalar>, root: borrowing Matrix<Scalar>, factor: borrowing Matrix<Scalar>, damping: Double
  ) throws(FisherError) {
    let k = covariance.rank
    let scale = Scalar(1 / Double(samples).squareRoot())
    var z = try Matrix<Scalar>(rows: samples, columns: neurons, what: "pre-activations")
    z.setToProduct(inputs, .none, v, .transposed, inner: order, outputColumns: neurons)
    // J v, one row
    var p = try Matrix<Scalar>(rows: 1, columns: rankBound, what: "coefficients of the factors")
    for s in 0..<samples {
      for a in 0..<k {
        var sum = 0.0
        for i in 0..<neurons { sum += Double(root[s * k + a, i]) * Double(z[s, i]) }
        p[0, s * k + a] = Scalar(sum) * scale
      }
    }
    p.solve(factor: factor)
    for s in 0..<samples {
      for i in 0..<neurons {
        var sum = 0.0
        for a in 0..<k { sum += Double(root[s * k + a, i]) * Double(p[0, s * k + a]) }
        z[s, i] = Scalar(sum) * scale
      }
    }
    var back = try Matrix<Scalar>(rows: neurons, columns: order, what: "combination of the factors")
    back.setToProduct(z, .transposed, inputs, .none, inner: samples, outputColumns: order)
    v.combine(1 / damping, -1 / damping, back)
  }

  private func makeRoot() throws(FisherError) -> Matrix<Scalar> {
    var root = try Matrix<Scalar>(rows: rankBound, columns: neurons, what: "square roots of \(samples) samples")
    try covariance.root(&root)
    return root
  }

  /// JJᵀ (nk, nk): entry (sa, tb) = (b_sa · b_tb)(x̃_s · x̃_t)/n. It has the eigenvalues of Ĝ that are not zero.
  func kernelMatrix(memoryCap: Int) throws(FisherError) -> Matrix<Scalar> {
    let (k, n) = (covariance.rank, samples)
    let what = "kernel matrix of \(rankBound) factors"
    try checkMemory(
      Matrix<Scalar>.bytes(rows: rankBound, columns: rankBound), memoryCap, what,
      instead: "products and solves by conjugate gradients fit")
    let root = try makeRoot()
    var kernel = try Matrix<Scalar>(rows: rankBound, columns: rankBound, what: what)
    kernel.setToProduct(root, .none, root, .transposed, inner: neurons, outputColumns: rankBound)
    var products = try Matrix<Scalar>(rows: n, columns: n, what: "inner products of \(n) samples")
    products.setToProduct(
      inputs, .none, inputs, .transposed, inner: order, outputColumns: n, alpha: 1 / Double(n))
    for row in 0..<rankBound {
      for column in 0..<rankBound { kernel[row, column] *= products[row / k, column / k] }
    }
    return kernel
  }
}
