internal import CKernels

/// How a normalisation of groups of channels takes its rows: n samples of `positions` rows each.
struct GroupNormShape {
  var positions: Int
  var channels: Int
  var groups: Int
  /// Whether means are taken off, and there is a shift.
  var isCentred: Bool
  var epsilon: Double
}

extension Matrix {
  /// The first columns of self = γx̂ + β, x̂ = (x − mean)/√(mean square + ε) over each group of each sample. `parameters`
  /// (channels, 2) has γ and β, or γ alone. Cost 8 flops an element.
  mutating func setToNormalized(
    _ x: borrowing Matrix, normalized: inout Matrix, deviations: inout Matrix, parameters: borrowing Matrix,
    _ shape: GroupNormShape
  ) {
    let samples = shape.samples(of: x)
    demand(
      rows == x.rows && normalized.rows == x.rows && columns >= shape.channels && normalized.columns >= shape.channels
        && parameters.rows == shape.channels && parameters.columns == (shape.isCentred ? 2 : 1)
        && deviations.capacity * deviations.columns >= samples * shape.groups, "expected \(shape.channels) channels")
    check(
      Scalar._kernels.groupNormForward(
        storage.base, stride, normalized.storage.base, normalized.stride, deviations.storage.base, x.storage.base,
        x.stride, parameters.storage.base, parameters.stride, samples, shape.positions, shape.channels, shape.groups,
        shape.isCentred ? 1 : 0, shape.epsilon, 0))
  }

  /// From self = ∂L/∂y: gradient = (Σ ∂L/∂y x̂, Σ ∂L/∂y), and self = ∂L/∂x. Cost 12 flops an element.
  mutating func setToNormalizationBackward(
    gradient: inout Matrix, normalized: borrowing Matrix, deviations: borrowing Matrix, parameters: borrowing Matrix,
    _ shape: GroupNormShape
  ) {
    let samples = shape.samples(of: self)
    demand(
      normalized.rows == rows && normalized.columns >= shape.channels && gradient.rows == shape.channels
        && gradient.columns == parameters.columns && parameters.rows == shape.channels
        && deviations.capacity * deviations.columns >= samples * shape.groups, "expected \(shape.channels) channels")
    check(
      Scalar._kernels.scaleGradient(
        gradient.storage.base, gradient.stride, gradient.columns, storage.base, stride, normalized.storage.base,
        normalized.stride, rows, shape.channels, 0))
    check(
      Scalar._kernels.groupNormBackward(
        storage.base, stride, storage.base, stride, normalized.storage.base, normalized.stride, deviations.storage.base,
        parameters.storage.base, parameters.stride, samples, shape.positions, shape.channels, shape.groups,
        shape.isCentred ? 1 : 0, 0))
  }
}

extension GroupNormShape {
  fileprivate func samples<S: KernelScalar>(of x: borrowing Matrix<S>) -> Int {
    demand(
      x.columns >= channels && x.rows % positions == 0,
      "expected \(channels) channels at \(positions) positions, found \(x.shape)")
    return x.rows / positions
  }
}
