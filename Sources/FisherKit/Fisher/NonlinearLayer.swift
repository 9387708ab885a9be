/// A layer of neurons with an activation f: neuron i has the block ν_f(z_i) x̃x̃ᵀ (Table 1, section 2.6).
///
/// `activation` gives the ν of the metric. It need not be what the network runs forward: a hard relu network is
/// usually measured by relu with ω = 1.
public struct NonlinearLayer: Subsystem {
  public let activation: any Activation

  public init(_ activation: any Activation) {
    self.activation = activation
  }

  public var description: String { "\(activation) layer" }

  public var hasNormalOutputs: Bool { activation.output == .gaussian }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    activation.nu(&nu, of: z)
  }
}
