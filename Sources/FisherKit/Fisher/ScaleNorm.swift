/// The scale γ of a normalisation without a shift, per channel: y = γx̂ with unit-variance Gaussian output, so each channel has
/// the number E[x̂²] (eq 8 with the parameter γ and the input x̂).
public struct ScaleNorm: Subsystem {
  public init() {}

  public var description: String { "scale of a normalisation" }
  public var form: Form { .channels(hasShift: false) }
  public var hasNormalOutputs: Bool { false }

  /// 1: the outputs have unit variance.
  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    demand(nu.rows == z.rows && nu.columns == z.columns, "ν of another shape")
    nu.fill(with: 1)
  }
}
