extension SampledBlock {
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    switch route {
    case .dense:
      try DenseFactor(self, damping: damping, memoryCap: memoryCap, parameter: "Fisher matrix").solve(&vectors)
      return SolveReport(route: .dense, iterations: 0)
    case .lowRank:
      try LowRankFactor(self, damping: damping, memoryCap: memoryCap, parameter: "Fisher matrix").solve(&vectors)
      guard vectors.isFinite else { throw .nonFinite(what: "low-rank solution", step: 0) }
      return SolveReport(route: .lowRank, iterations: LowRankFactor<Scalar>.refinements)
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
}
