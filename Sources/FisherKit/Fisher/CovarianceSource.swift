/// What the A_s of a coupled layer are computed from, so that a solve can have them in double precision where the samples
/// are `Float`: rounding η or a slope to `Float` would be felt by the condition number.
protocol CovarianceSource: AnyObject, Sendable {
  var bytes: Int { get }
  func covariance<S: KernelScalar>(_: S.Type) throws(FisherError) -> any SampleCovariance<S>
}

/// diag η − ηηᵀ with η = softmax(z).
final class SoftmaxSource<Scalar: KernelScalar>: CovarianceSource {
  private let z: Observations<Scalar>

  init(preactivations z: borrowing Matrix<Scalar>) throws(FisherError) { self.z = try Observations(copying: z) }

  var bytes: Int { z.inputs.bytes }

  func covariance<S: KernelScalar>(_: S.Type) throws(FisherError) -> any SampleCovariance<S> {
    try SoftmaxCovariance<S>(preactivations: try z.inputs.converted(what: "pre-activations"))
  }
}

/// What a subsystem of one's own is coupled by.
final class CouplingSource<Scalar: KernelScalar>: CovarianceSource {
  private let coupling: any Coupling
  private let z: Observations<Scalar>

  init(_ coupling: any Coupling, preactivations z: borrowing Matrix<Scalar>) throws(FisherError) {
    self.coupling = coupling
    self.z = try Observations(copying: z)
  }

  var bytes: Int { z.inputs.bytes }

  func covariance<S: KernelScalar>(_: S.Type) throws(FisherError) -> any SampleCovariance<S> {
    try coupling.covariance(preactivations: try z.inputs.converted(what: "pre-activations"))
  }
}

/// F Cᵀ O C F of a hidden layer with pre-activations z and weights C above it, whose outputs are those of the hidden
/// layer's values f(z), or of pre-activations that are given.
final class TwoLayerSource<Scalar: KernelScalar>: CovarianceSource {
  private let hidden: any Activation
  private let outer: any Subsystem
  private let z: Observations<Scalar>
  private let weights: Observations<Scalar>
  private let above: Observations<Scalar>?

  /// - Parameters:
  ///   - z: (n,m); `weights`: C (D_y, m+1), bias last; `above`: (n, D_y), by default f(z) with its bias times Cᵀ.
  init(
    hidden: any Activation, outer: any Subsystem, preactivations z: borrowing Matrix<Scalar>,
    outerWeights weights: borrowing Matrix<Scalar>, above: Observations<Scalar>? = nil
  ) throws(FisherError) {
    self.hidden = hidden
    self.outer = outer
    self.z = try Observations(copying: z)
    self.weights = try Observations(copying: weights)
    self.above = above
  }

  var bytes: Int { z.inputs.bytes + weights.inputs.bytes + (above?.inputs.bytes ?? 0) }

  func covariance<S: KernelScalar>(_: S.Type) throws(FisherError) -> any SampleCovariance<S> {
    let z: Matrix<S> = try z.inputs.converted(what: "pre-activations")
    let c: Matrix<S> = try weights.inputs.converted(what: "outer weights")
    var slopes = try Matrix<S>(rows: z.rows, columns: z.columns, what: "slopes of the hidden layer")
    slopes.setToSlopes(of: hidden, at: z)
    let above: Matrix<S> =
      if let above { try above.inputs.converted(what: "outer pre-activations") } else { try outputs(z, c) }
    return try TwoLayerCovariance<S>(
      slopes: slopes, outerWeights: c, outputs: try outer.outputCovariance(preactivations: above))
  }

  private func outputs<S: KernelScalar>(
    _ z: borrowing Matrix<S>, _ c: borrowing Matrix<S>
  ) throws(FisherError) -> Matrix<S> {
    let (n, m) = (z.rows, z.columns)
    var h = try Matrix<S>(rows: n, columns: m + 1, what: "outputs of the hidden layer")
    h.fill(column: m, with: 1)
    hidden.values(&h, of: z)
    var above = try Matrix<S>(rows: n, columns: c.rows, what: "outer pre-activations")
    above.setToProduct(h, .none, c, .transposed, inner: m + 1, outputColumns: c.rows)
    return above
  }
}

extension Matrix {
  /// A copy in another precision.
  func converted<S: KernelScalar>(what: @autoclosure () -> String) throws(FisherError) -> Matrix<S> {
    var copy = try Matrix<S>(rows: rows, columns: columns, what: what())
    copy.round(try inDouble(what: what()))
    return copy
  }
}
