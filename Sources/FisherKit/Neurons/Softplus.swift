import Foundation

/// softplus(z) = ln(1 + e^z), the smooth relu with ι = 0 and ω = 1 (eq 2), with a Gaussian output: ν = σ(z)² (eq 8).
public struct Softplus: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "softplus" }
  public var output: NeuronOutput { .gaussian }

  /// The larger of 0 and z taken out of the logarithm, so that nothing overflows.
  public func value(at z: Double) -> Double { max(z, 0) + log1p(exp(-abs(z))) }
  public func derivative(at z: Double) -> Double { Sigm().value(at: z) }

  public var _kernel: _KernelActivation? { .relu(iota: 0, omega: 1) }
}
