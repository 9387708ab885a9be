internal import CKernels

/// Mean, variance and 1/√(variance + ε) of each channel of a mini-batch.
struct ChannelStatistics<Scalar: KernelScalar>: ~Copyable {
  /// One row each.
  var mean: Matrix<Scalar>
  var variance: Matrix<Scalar>
  var inverseDeviation: Matrix<Scalar>

  init(channels: Int, name: String) throws(FisherError) {
    let mean = try Matrix<Scalar>(rows: 1, columns: channels, what: "\(name): means of a mini-batch")
    let variance = try Matrix<Scalar>(rows: 1, columns: channels, what: "\(name): variances of a mini-batch")
    let inverseDeviation = try Matrix<Scalar>(rows: 1, columns: channels, what: "\(name): deviations of a mini-batch")
    self.mean = mean
    self.variance = variance
    self.inverseDeviation = inverseDeviation
  }

  var bytes: Int { mean.bytes + variance.bytes + inverseDeviation.bytes }
}

extension Matrix {
  /// The first columns of self = γx̂ + β with x̂ = (x − mean)/√(variance + ε) over the rows of x, channel by channel:
  /// x̂ and the statistics are written too. `parameters` (channels, 2) has γ and β. A channel whose variance overflows
  /// comes out NaN. Cost 11 flops an element.
  mutating func setToNormalized(
    _ x: borrowing Matrix, normalized: inout Matrix, statistics: inout ChannelStatistics<Scalar>,
    parameters: borrowing Matrix, epsilon: Double
  ) {
    let channels = parameters.rows
    demand(x.rows > 0 && rows == x.rows && normalized.rows == x.rows, "expected as many rows, at least one")
    demand(
      columns >= channels && x.columns >= channels && normalized.columns >= channels && parameters.columns == 2
        && statistics.mean.columns == channels, "expected \(channels) channels")
    check(
      Scalar._kernels.batchNormForward(
        storage.base, stride, normalized.storage.base, normalized.stride, statistics.mean.storage.base,
        statistics.variance.storage.base, statistics.inverseDeviation.storage.base, x.storage.base, x.stride,
        parameters.storage.base, parameters.stride, x.rows, channels, epsilon, 0))
  }

  /// From self = ∂L/∂y: gradient (channels, 2) = (Σ ∂L/∂y x̂, Σ ∂L/∂y), and self = ∂L/∂x. Cost 9 flops an element.
  mutating func setToNormalizationBackward(
    gradient: inout Matrix, normalized: borrowing Matrix, statistics: borrowing ChannelStatistics<Scalar>,
    parameters: borrowing Matrix
  ) {
    let channels = parameters.rows
    demand(rows > 0 && normalized.rows == rows, "expected as many rows, at least one")
    demand(
      columns >= channels && normalized.columns >= channels && parameters.columns == 2 && gradient.columns == 2
        && gradient.rows == channels && statistics.mean.columns == channels, "expected \(channels) channels")
    check(
      Scalar._kernels.batchNormBackward(
        storage.base, stride, gradient.storage.base, gradient.stride, storage.base, stride, normalized.storage.base,
        normalized.stride, statistics.inverseDeviation.storage.base, parameters.storage.base, parameters.stride, rows,
        channels, 0))
  }

  /// The first columns of self = γ(x − mean)/√(variance + ε) + β by the statistics given, each row by itself. Cost 3
  /// flops an element.
  mutating func setToNormalized(
    _ x: borrowing Matrix, mean: borrowing Matrix, variance: borrowing Matrix, parameters: borrowing Matrix,
    epsilon: Double
  ) {
    let channels = parameters.rows
    demand(
      rows == x.rows && columns >= channels && x.columns >= channels && parameters.columns == 2
        && mean.columns == channels && variance.columns == channels, "expected \(channels) channels")
    check(
      Scalar._kernels.batchNormEvaluate(
        storage.base, stride, x.storage.base, x.stride, mean.storage.base, variance.storage.base,
        parameters.storage.base, parameters.stride, x.rows, channels, epsilon, 0))
  }

  /// self = decay · self + (1 − decay) · factor · other: a running average takes the next mini-batch.
  /// In double, unlike ``combine(_:_:_:)``: what a float's rounding takes from decay is large beside 1 − decay.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func average(_ other: borrowing Matrix, decay: Double, factor: Double = 1) {
    demand(rows == other.rows && columns == other.columns, "an average of another shape")
    for i in 0..<rows {
      let (row, next) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<columns { row[j] = Scalar(decay * Double(row[j]) + (1 - decay) * factor * Double(next[j])) }
    }
  }
}
