internal import CKernels

/// How a factor of a product is read.
enum Transpose: Int32 {
  case none = 0
  case transposed = 1
}

extension Matrix {
  /// self = α op(A) op(B) + β self, on rows in use; columns from `columns` on of A, B and self are left out, so that a
  /// product with W leaves a bias column alone.
  ///
  /// - Parameter inner: the inner size; `outputColumns`: how many columns of self are written.
  mutating func setToProduct(
    _ a: borrowing Matrix, _ transposeA: Transpose, _ b: borrowing Matrix, _ transposeB: Transpose, inner: Int,
    outputColumns: Int, alpha: Double = 1, beta: Double = 0
  ) {
    let aInner = transposeA == .none ? a.columns : a.rows
    let bInner = transposeB == .none ? b.rows : b.columns
    let aOuter = transposeA == .none ? a.rows : a.columns
    let bOuter = transposeB == .none ? b.columns : b.rows
    demand(inner <= aInner && inner <= bInner, "inner sizes \(aInner) and \(bInner), expected \(inner)")
    demand(rows <= aOuter && outputColumns <= min(columns, bOuter), "a product of another shape")
    check(
      Scalar._kernels.gemm(
        storage.base, stride, a.storage.base, a.stride, transposeA.rawValue, b.storage.base, b.stride,
        transposeB.rawValue, rows, outputColumns, inner, alpha, beta, 0))
  }

  /// The lower triangle of self = α XᵀX + β self. Cost n d² flops.
  mutating func setToGram(_ x: borrowing Matrix, alpha: Double, beta: Double) {
    demand(rows == x.columns && columns == x.columns, "expected a Gram matrix of order \(x.columns)")
    check(Scalar._kernels.gram(storage.base, stride, x.storage.base, x.stride, x.rows, columns, alpha, beta, 0))
  }

  /// Replaces the lower triangle of self by the Cholesky factor of self + λI. Cost d³/3 flops.
  mutating func factor(damping: Double, parameter: String) throws(FisherError) {
    demand(rows == columns, "expected a square matrix")
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

  /// Replaces each row v by (LLᵀ)⁻¹v, L from ``factor(damping:parameter:)``. Cost 2md² flops.
  mutating func solve(factor: borrowing Matrix) {
    demand(factor.rows == columns && factor.columns == columns, "expected a factor of order \(columns)")
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
