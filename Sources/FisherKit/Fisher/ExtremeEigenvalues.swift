/// The smallest and the largest eigenvalue of a Fisher matrix, each to within `error`.
public struct ExtremeEigenvalues: Equatable, Sendable {
  public let smallest: Double
  public let largest: Double
  /// A bound on how far each may be from an eigenvalue: 0 where all were computed.
  public let error: Double

  /// (λ_max + λ)/(λ_min + λ), infinite where the damped matrix is singular.
  public func conditionNumber(damping: Double = 0) -> Double {
    Spectrum([smallest, largest]).conditionNumber(damping: damping)
  }
}

extension RFIM {
  /// The two ends of the spectrum: from all eigenvalues where they fit the cap, else by products alone (Lanczos with full
  /// reorthogonalisation), so that the matrix is never formed.
  ///
  /// Memory: as ``spectrum(memoryCap:)``, or up to `iterations` matrices (m,d) in Lanczos. Cost of an iteration: one
  /// product and 4kmd flops at the k-th. It ends when both ends are known to `tolerance` · λ_max.
  /// - Throws: `notConverged` with the error that is left; `exceedsMemoryCap` when not even the iterations fit.
  public func extremeEigenvalues(
    tolerance: Double = 1e-5, iterations: Int = 300, memoryCap: Int = defaultMemoryCap
  ) throws(FisherError) -> ExtremeEigenvalues {
    try require(tolerance > 0 && tolerance < 1, "tolerance", expected: "a number in (0, 1)", found: tolerance)
    guard neurons * order > 0 else { return ExtremeEigenvalues(smallest: 0, largest: 0, error: 0) }
    do {
      let spectrum = try spectrum(memoryCap: memoryCap)
      return ExtremeEigenvalues(smallest: spectrum.smallest, largest: spectrum.largest, error: 0)
    } catch .exceedsMemoryCap {
      return try byLanczos(tolerance: tolerance, iterations: min(iterations, neurons * order), memoryCap: memoryCap)
    }
  }

  func byLanczos(tolerance: Double, iterations: Int, memoryCap: Int) throws(FisherError) -> ExtremeEigenvalues {
    let (size, overflow) = try Matrix<Scalar>.bytes(rows: neurons, columns: order)
      .multipliedReportingOverflow(by: iterations + 2)
    try checkMemory(
      overflow ? .max : size, memoryCap, "\(iterations) iterations on \(neurons) neurons and \(order) inputs",
      instead: "fewer iterations fit")
    var generator = SeededGenerator(seed: 0, stream: .synthesis)
    var basis: [KeptMatrix<Scalar>] = []
    var next = try Matrix<Scalar>(rows: neurons, columns: order, what: "Krylov vector")
    for i in 0..<neurons {
      for j in 0..<order { next[i, j] = Scalar(generator.normal()) }
    }
    var tridiagonal = Tridiagonal()
    var norm = next.dot(next).squareRoot()
    var found = ExtremeEigenvalues(smallest: 0, largest: 0, error: .infinity)
    for step in 1...max(iterations, 1) {
      let vector = try KeptMatrix<Scalar>(neurons: neurons, order: order, what: "Krylov vector")
      vector.value.combine(0, 1 / norm, next)
      basis.append(vector)
      try multiply(&next, vector.value)
      tridiagonal.diagonal.append(next.dot(vector.value))
      // Twice is enough: what rounding left of the earlier vectors goes with the second pass.
      for _ in 1...2 {
        for earlier in basis { next.combine(1, -next.dot(earlier.value), earlier.value) }
      }
      norm = next.dot(next).squareRoot()
      // The ends of the small matrix move slowly: look every few steps.
      let isLast = step == iterations || norm <= Double(Scalar.ulpOfOne) * tridiagonal.largestEntry
      if step % 10 == 0 || isLast {
        found = try tridiagonal.ends(residual: norm)
        if found.error <= tolerance * max(found.largest, .leastNormalMagnitude) { return found }
        if isLast { break }
      }
      tridiagonal.offDiagonal.append(norm)
    }
    throw .notConverged(
      what: "extreme eigenvalues", iterations: basis.count,
      residual: found.error / max(found.largest, .leastNormalMagnitude), tolerance: tolerance)
  }
}

/// What the Lanczos recurrence projects the matrix to.
private struct Tridiagonal {
  var diagonal: [Double] = []
  var offDiagonal: [Double] = []

  var largestEntry: Double { diagonal.reduce(0) { max($0, abs($1)) } }

  /// Its smallest and largest eigenvalue, and how far they may be from eigenvalues of the matrix: |residual · the last
  /// component of the eigenvector|, by which an eigenvalue of the matrix is that near (symmetric matrices).
  func ends(residual: Double) throws(FisherError) -> ExtremeEigenvalues {
    let k = diagonal.count
    var matrix = try Matrix<Double>(rows: k, columns: k, what: "tridiagonal matrix")
    for i in 0..<k {
      matrix[i, i] = diagonal[i]
      if i > 0 { matrix[i, i - 1] = offDiagonal[i - 1] }
    }
    let values = try matrix.symmetricEigenvalues()
    let (low, high) = (values[0], values[k - 1])
    let error = residual * max(lastComponent(of: low), lastComponent(of: high))
    return ExtremeEigenvalues(smallest: low, largest: high, error: error)
  }

  /// Of the unit eigenvector that belongs to an eigenvalue at an end of the spectrum, where the leading principal minors
  /// of T − θI keep one sign and the recurrence from the top is stable.
  private func lastComponent(of theta: Double) -> Double {
    let k = diagonal.count
    guard k > 1 else { return 1 }
    // By one step of inverse iteration on T − θI, shifted by a rounding unit to be regular.
    let shift = theta + (abs(theta) + largestEntry) * 0x1p-50
    var (pivots, right) = ([Double](repeating: 0, count: k), [Double](repeating: 1, count: k))
    for _ in 1...3 {
      pivots[0] = diagonal[0] - shift
      for i in 1..<k {
        let factor = offDiagonal[i - 1] / nonZero(pivots[i - 1])
        pivots[i] = diagonal[i] - shift - factor * offDiagonal[i - 1]
        right[i] -= factor * right[i - 1]
      }
      right[k - 1] /= nonZero(pivots[k - 1])
      for i in (0..<k - 1).reversed() { right[i] = (right[i] - offDiagonal[i] * right[i + 1]) / nonZero(pivots[i]) }
      let norm = right.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for i in 0..<k { right[i] /= norm }
    }
    return abs(right[k - 1])
  }

  private func nonZero(_ pivot: Double) -> Double {
    abs(pivot) > .leastNormalMagnitude ? pivot : largestEntry * 0x1p-52 + .leastNormalMagnitude
  }
}
