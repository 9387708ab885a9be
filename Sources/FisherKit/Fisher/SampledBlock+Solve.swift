extension SampledBlock {
  /// In double precision, in which the A_s are computed anew and X̃ is held once more where samples are `Float`.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    let system = try inDouble()
    return try solveInDouble(&vectors) { (solution) throws(FisherError) in
      try system.solveInTurn(&solution, damping: damping, route: route, memoryCap: memoryCap)
    }
  }
}

extension SampledBlock where Scalar == Double {
  func solveInTurn(
    _ vectors: inout Matrix<Double>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    try inTurn { () throws(FisherError) in
      try solveExactly(&vectors, damping: damping, route: route, memoryCap: memoryCap)
    }
  }

  func solveExactly(
    _ vectors: inout Matrix<Double>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    let routes = route == .automatic ? accurateRoutes(damping: damping, memoryCap: memoryCap) : [route]
    return try solve(&vectors, by: routes) { (route, vectors) throws(FisherError) in
      switch route {
      case .dense:
        let inverse = try DenseFactor(self, damping: damping, memoryCap: memoryCap, parameter: "Fisher matrix")
        var refinement = try makeRefinement(damping: damping)
        return SolveReport(route, try refinement.solve(&vectors, inverse: inverse))
      case .lowRank:
        let inverse = try LowRankFactor(self, damping: damping, memoryCap: memoryCap, parameter: "Fisher matrix")
        var refinement = try makeRefinement(damping: damping)
        return SolveReport(route, try refinement.solve(&vectors, inverse: inverse))
      case .conjugateGradients(let tolerance, let iterations):
        return try solveByConjugateGradients(
          &vectors, damping: damping, tolerance: tolerance, iterations: iterations)
      case .automatic:
        return try solveByConjugateGradients(&vectors, damping: damping, tolerance: nil, iterations: 2000)
      }
    }
  }

  func makeRefinement(damping: Double) throws(FisherError) -> Refinement {
    let exact: any TwofoldCovariance =
      if let exact = covariance as? any TwofoldCovariance { exact } else { try PartwiseCovariance(covariance) }
    return try Refinement(
      try SampledProduct(observations, exact, neurons: neurons), damping: damping, isCoupled: true)
  }

  /// Low rank where there are fewer factors than weights, else dense, and then the other; conjugate gradients (as
  /// accurate as the others: `automatic`) where neither fits the cap, or where factoring would take far longer than a
  /// thousand products.
  private func accurateRoutes(damping: Double, memoryCap: Int) -> [SolveRoute] {
    let size = neurons * order
    func isWithinReach(_ order: Int) -> Bool {
      let flops = Double(order) * Double(order) * Double(order) / 3
      let fits = (try? Matrix<Double>.bytes(rows: order, columns: order)).map { 2 * $0 <= memoryCap } ?? false
      return fits && flops < 4000 * Double(samples) * Double(size) + 1e9
    }
    if damping == 0 { return [.dense] }
    let routes: [(SolveRoute, Int)] =
      rankBound < size ? [(.lowRank, rankBound), (.dense, size)] : [(.dense, size), (.lowRank, rankBound)]
    let within = routes.filter { isWithinReach($0.1) }.map { $0.0 }
    return within.isEmpty ? [.automatic] : within
  }
}
