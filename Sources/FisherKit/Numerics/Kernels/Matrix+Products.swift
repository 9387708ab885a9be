internal import CKernels

/// How a factor of a product is read: as it is, or as its transpose.
public enum Transpose: Int32, Sendable {
  case none = 0
  case transposed = 1
}

/// Products and factors of whole matrices, called as in BLAS and LAPACK: gemm, syrk, potrf and potrs. They use
/// `Compute.threads` threads where that pays. None of them allocates.
extension Matrix {
  /// self (n,m) = α A B + β self for A (n,k) and B (k,m). With β = 0, what self held does not matter, a NaN neither.
  ///
  /// Cost 2nmk flops. Sums of more than 8192 terms are added up in double precision.
  public mutating func setToProduct(
    _ a: borrowing Matrix, _ b: borrowing Matrix, alpha: Double = 1, beta: Double = 0
  ) {
    setToProduct(a, .none, b, .none, alpha: alpha, beta: beta)
  }

  /// self (n,m) = α op(A) op(B) + β self, where op(A) is (n,k) and op(B) is (k,m): A or, with `.transposed`, Aᵀ. A layer
  /// and its gradient are
  ///
  ///     z.setToProduct(input, .none, weights, .transposed)            // Z = X̃Wᵀ
  ///     gradient.setToProduct(delta, .transposed, input, .none)       // ∂L/∂W = δᵀX̃
  public mutating func setToProduct(
    _ a: borrowing Matrix, _ transposeA: Transpose, _ b: borrowing Matrix, _ transposeB: Transpose, alpha: Double = 1,
    beta: Double = 0
  ) {
    let (n, inner) = transposeA == .none ? (a.rows, a.columns) : (a.columns, a.rows)
    let (innerB, m) = transposeB == .none ? (b.rows, b.columns) : (b.columns, b.rows)
    demand(inner == innerB, "a product of \(n)×\(inner) and \(innerB)×\(m)")
    demand(rows == n && columns == m, "expected \(n)×\(m) for the product, found \(shape)")
    setToProduct(
      a, transposeA, b, transposeB, inner: inner, outputColumns: columns, alpha: alpha, beta: beta)
  }

  /// The same of parts: of op(A) the first rows, as many as self has in use, and the first `inner` columns; of op(B) the
  /// first `inner` rows and `outputColumns` columns. Other columns of self are left alone, so that a product with W leaves
  /// a bias column as it is:
  ///
  ///     output.setToProduct(input, .none, w, .transposed, inner: inputs + 1, outputColumns: outputs)     // Y of Ỹ = (Y, 1)
  ///     delta.setToProduct(above, .none, w, .none, inner: outputs, outputColumns: inputs)      // ∂L/∂X without the bias's
  public mutating func setToProduct(
    _ a: borrowing Matrix, _ transposeA: Transpose, _ b: borrowing Matrix, _ transposeB: Transpose, inner: Int,
    outputColumns: Int, alpha: Double = 1, beta: Double = 0
  ) {
    let aInner = transposeA == .none ? a.columns : a.rows
    let bInner = transposeB == .none ? b.rows : b.columns
    let aOuter = transposeA == .none ? a.rows : a.columns
    let bOuter = transposeB == .none ? b.columns : b.rows
    demand(
      inner >= 0 && inner <= aInner && inner <= bInner, "inner sizes \(aInner) and \(bInner), expected \(inner)")
    demand(
      rows <= aOuter && outputColumns >= 0 && outputColumns <= min(columns, bOuter),
      "a product of \(aOuter)×\(bOuter), of which \(rows)×\(outputColumns) are asked for, does not fit \(shape)")
    check(
      Scalar._kernels.gemm(
        storage.base, stride, a.storage.base, a.stride, transposeA.rawValue, b.storage.base, b.stride,
        transposeB.rawValue, rows, outputColumns, inner, alpha, beta, 0))
  }

  /// The lower triangle of self (d,d) = α XᵀX + β self for X (n,d); what is above the diagonal is left as it was, and
  /// ``symmetrize()`` makes it the same. With α = 1/n it is the block of a linear neuron (section 2.5). Cost n d² flops.
  public mutating func setToGram(_ x: borrowing Matrix, alpha: Double = 1, beta: Double = 0) {
    demand(
      rows == x.columns && columns == x.columns, "expected a Gram matrix of order \(x.columns), found \(shape)")
    check(Scalar._kernels.gram(storage.base, stride, x.storage.base, x.stride, x.rows, columns, alpha, beta, 0))
  }

  /// Replaces the lower triangle of this symmetric matrix A (d,d) by L, LLᵀ = A + λI. What is above the diagonal is neither
  /// read nor written. Cost d³/3 flops.
  ///
  /// - Parameter parameter: what the matrix belongs to, for the error.
  /// - Throws: `notPositiveDefinite` with the first pivot that is not larger than the rounding error of what it comes from:
  ///   the lower triangle is unfinished then.
  public mutating func factor(damping: Double = 0, parameter: String = "matrix") throws(FisherError) {
    demand(rows == columns, "expected a square matrix, found \(shape)")
    var failure = fk_failure()
    let status = Scalar._kernels.cholesky(storage.base, stride, &failure, columns, damping, 0)
    if status == FK_NOT_POSITIVE_DEFINITE {
      throw .notPositiveDefinite(
        FactorizationFailure(
          parameter: parameter, neuron: nil, pivot: failure.pivot, value: failure.value, failedBlocks: 1, blocks: 1,
          order: columns, damping: damping))
    }
    try check(status, "Cholesky factor of order \(columns)")
  }

  /// Replaces each row v of self (m,d) by (LLᵀ)⁻¹v, where `factor` has L in its lower triangle, from
  /// ``factor(damping:parameter:)``. Cost 2md² flops.
  public mutating func solve(factor: borrowing Matrix) {
    demand(
      factor.rows == columns && factor.columns == columns,
      "expected a factor of order \(columns), found \(factor.shape)")
    check(
      Scalar._kernels.choleskySolve(storage.base, stride, factor.storage.base, factor.stride, columns, rows, 0))
  }

  /// Whether no element of a row is NaN or infinite.
  func isFinite(row: Int) -> Bool {
    demand(row >= 0 && row < rows, "outside the matrix")
    var result: Int32 = 0
    check(Scalar._kernels.allFinite(&result, storage.base + row * stride, stride, 1, columns))
    return result != 0
  }

  /// Sets elements that are NaN or infinite to 0.
  /// - Returns: the column of the first of them, if there are any.
  mutating func removeNonFinite() -> Int? {
    if isFinite { return nil }
    var first: Int?
    for i in 0..<rows {
      for j in 0..<columns where !self[i, j].isFinite {
        self[i, j] = 0
        first = first ?? j
      }
    }
    return first
  }

  /// Whether no element is NaN or infinite.
  public var isFinite: Bool {
    var result: Int32 = 0
    check(Scalar._kernels.allFinite(&result, storage.base, stride, rows, columns))
    return result != 0
  }
}
