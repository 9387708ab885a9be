/// silu(z) = z σ(z), also called swish, with a Gaussian output: ν = f'² (eq 8).
///
/// It is not monotone: f' and ν are zero at z ≈ −1.278, where a neuron carries no information to first order.
public struct Silu: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "silu" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z == -.infinity ? 0 : z * Sigm().value(at: z) }

  /// σ(z) (1 + z σ(−z)); at ±∞ its limits 0 and 1.
  public func derivative(at z: Double) -> Double {
    if z.isInfinite { return z < 0 ? 0 : 1 }
    return Sigm().value(at: z) * (1 + z * Sigm().value(at: -z))
  }

  public var _kernel: _KernelActivation? { .silu }
}
