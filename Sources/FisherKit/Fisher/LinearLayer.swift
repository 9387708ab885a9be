/// A linear layer with Gaussian outputs of standard deviation σ: every neuron has the block x̃x̃ᵀ/σ² (section 2.5).
public struct LinearLayer: Subsystem {
  /// The standard deviation σ of the outputs, in units of the outputs.
  public let sigma: Double

  public init() { sigma = 1 }

  /// - Parameter sigma: from 1e-15 to 1e15, whose squares float still holds.
  /// - Throws: `invalidArgument`.
  public init(sigma: Double) throws(FisherError) {
    try require(sigma >= 1e-15 && sigma <= 1e15, "sigma", expected: "a number from 1e-15 to 1e15", found: sigma)
    self.sigma = sigma
  }

  public var description: String { sigma == 1 ? "linear layer" : "linear layer (σ=\(sigma))" }
  public var form: Form { .shared(nu: 1 / (sigma * sigma)) }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    demand(z.columns == nu.columns && z.rows == nu.rows, "ν of another shape")
    nu.fill(with: S(1 / (sigma * sigma)))
  }
}
