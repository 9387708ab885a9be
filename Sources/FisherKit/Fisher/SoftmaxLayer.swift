/// A softmax layer, η = softmax(z). Its full matrix has the block (i, j) = (δ_ij η_i − η_iη_j) x̃x̃ᵀ (eq 10); neuron by
/// neuron, its diagonal blocks have ν = η(1 − η).
public struct SoftmaxLayer: Subsystem {
  public init() {}

  public var description: String { "softmax layer" }

  public var form: Form { .softmax }
  public var hasNormalOutputs: Bool { false }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    nu.setToSoftmaxNu(of: z)
  }
}
