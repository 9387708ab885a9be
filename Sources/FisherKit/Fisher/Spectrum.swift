import Foundation

/// The eigenvalues λ_1 ≤ … ≤ λ_k of a Fisher matrix, and what they say. Rounding may leave those that are zero a little
/// below it.
public struct Spectrum: Equatable, Sendable {
  public let eigenvalues: [Double]
  /// The rounding unit of the matrix that they are of.
  public let unit: Double

  /// - Parameters:
  ///   - eigenvalues: in any order.
  ///   - unit: of the matrix's elements, by default those of a `Double`.
  public init(_ eigenvalues: [Double], unit: Double = 0x1p-52) {
    self.eigenvalues = eigenvalues.sorted()
    self.unit = unit
  }

  public var smallest: Double { eigenvalues.first ?? 0 }
  public var largest: Double { eigenvalues.last ?? 0 }
  public var trace: Double { eigenvalues.reduce(0, +) }

  /// log det(Ĝ + λI) = Σ log(λ_k + λ), in nats; −∞ where that is singular.
  public func logDeterminant(damping: Double) -> Double {
    eigenvalues.reduce(0) { $0 + ($1 + damping > 0 ? log($1 + damping) : -.infinity) }
  }

  /// Σ λ_k/(λ_k + λ): how many directions the samples determine against the damping.
  public func effectiveDimension(damping: Double) -> Double {
    eigenvalues.reduce(0) { $0 + ($1 > 0 ? $1 / ($1 + damping) : 0) }
  }

  /// (λ_max + λ)/(λ_min + λ), infinite where the damped matrix is singular.
  public func conditionNumber(damping: Double = 0) -> Double {
    let low = smallest + damping
    return low > 0 ? (largest + damping) / low : .infinity
  }

  /// How many eigenvalues exceed tolerance · λ_max.
  ///
  /// - Parameter tolerance: by default k rounding units of the matrix, what its eigenvalues are known to.
  public func rank(tolerance: Double? = nil) -> Int {
    let bound = (tolerance ?? Double(eigenvalues.count) * unit) * largest
    return eigenvalues.count { $0 > bound }
  }
}

extension RFIM {
  /// tr Ĝ, from the diagonal blocks.
  public func trace() throws(FisherError) -> Double {
    var sum = 0.0
    for i in 0..<neurons {
      let block = try block(i, i)
      for a in 0..<order { sum += Double(block[a, a]) }
    }
    return sum
  }

  /// ⟨V, ĜV⟩, twice the Kullback-Leibler divergence, in nats, that a step V makes to second order.
  public func quadraticForm(_ vectors: borrowing Matrix<Scalar>) throws(FisherError) -> Double {
    checkShape(vectors)
    var product = try Matrix<Scalar>(rows: neurons, columns: order, what: "product with the Fisher matrix")
    try multiply(&product, vectors)
    return product.dot(vectors)
  }

  /// The divergence ½⟨V, ĜV⟩, in nats, between the outputs before and after a step W + V, to second order, averaged over
  /// the samples.
  public func predictedKL(ofStep step: borrowing Matrix<Scalar>) throws(FisherError) -> Double {
    0.5 * (try quadraticForm(step))
  }

  /// Block by block.
  public func dense(memoryCap: Int) throws(FisherError) -> Matrix<Scalar> {
    var matrix = try makeDense(memoryCap: memoryCap)
    try fillByBlocks(&matrix)
    return matrix
  }

  func fillByBlocks(_ matrix: inout Matrix<Scalar>) throws(FisherError) {
    for i in 0..<neurons {
      for j in (isBlockDiagonal ? i : 0)...i {
        let block = try block(i, j)
        matrix.place(block, row: i * order, column: j * order)
        if i != j { matrix.place(block, row: j * order, column: i * order) }
      }
    }
  }

  /// A (md, md) matrix of zeros, if the cap allows it.
  func makeDense(memoryCap: Int) throws(FisherError) -> Matrix<Scalar> {
    let what = "dense Fisher matrix of \(neurons) neurons and \(order) inputs"
    let (size, overflow) = neurons.multipliedReportingOverflow(by: order)
    guard !overflow else { throw .sizeOverflow(what: what) }
    try checkMemory(
      Matrix<Scalar>.bytes(rows: size, columns: size), memoryCap, what,
      instead: isBlockDiagonal
        ? "single blocks, products and solves block by block fit"
        : "single blocks, products and solves by conjugate gradients fit")
    return try Matrix(rows: size, columns: size, what: what)
  }
}
