internal import CKernels

/// Batch normalisation over the rows of a matrix, one channel a column; `scales` is (channels, 2), scale and shift.
extension Matrix {
  /// self = scale · x̂ + shift and normalized = x̂ = (x − mean)/√(variance + ε), with the statistics of x's rows, which
  /// are written to the first rows of `mean` and `variance`. Columns behind the channels are left alone.
  mutating func setToBatchNorm(
    of x: borrowing Matrix, normalized: inout Matrix, mean: inout Matrix, variance: inout Matrix,
    scales: borrowing Matrix, epsilon: Double
  ) {
    let channels = scales.rows
    precondition(
      rows == x.rows && normalized.rows == x.rows && columns >= channels && x.columns >= channels
        && normalized.columns >= channels && mean.columns == channels && variance.columns == channels,
      "matrices of another shape")
    check(
      Scalar._kernels.batchNorm(
        storage.base, stride, normalized.storage.base, normalized.stride, mean.storage.base, variance.storage.base,
        x.storage.base, x.stride, scales.storage.base, scales.stride, rows, channels, epsilon, 0))
  }

  /// self, ∂L/∂y on entry, becomes ∂L/∂x; `gradient` (channels, 2) is set to that of the scales.
  mutating func batchNormBackward(
    gradient: inout Matrix, normalized: borrowing Matrix, variance: borrowing Matrix, scales: borrowing Matrix,
    epsilon: Double
  ) {
    let channels = scales.rows
    precondition(
      normalized.rows == rows && columns >= channels && gradient.rows == channels, "matrices of another shape")
    check(
      Scalar._kernels.batchNormBackward(
        storage.base, stride, gradient.storage.base, gradient.stride, normalized.storage.base, normalized.stride,
        variance.storage.base, scales.storage.base, scales.stride, rows, channels, epsilon, 0))
  }

  /// self = scale · (x − mean)/√(variance + ε) + shift with statistics that are given.
  mutating func setToBatchNorm(
    of x: borrowing Matrix, mean: borrowing Matrix, variance: borrowing Matrix, scales: borrowing Matrix,
    epsilon: Double
  ) {
    let channels = scales.rows
    precondition(rows == x.rows && columns >= channels && x.columns >= channels, "matrices of another shape")
    check(
      Scalar._kernels.batchNormFixed(
        storage.base, stride, mean.storage.base, variance.storage.base, x.storage.base, x.stride, scales.storage.base,
        scales.stride, rows, channels, epsilon, 0))
  }
}
