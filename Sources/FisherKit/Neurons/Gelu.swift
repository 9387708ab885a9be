import Foundation

/// gelu(z) = z Φ(z) with the normal distribution Φ itself and not an approximation by tanh, and with a Gaussian output:
/// ν = f'² (eq 8).
///
/// It is not monotone: f' and ν are zero at z ≈ −0.7518, where a neuron carries no information to first order.
public struct Gelu: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "gelu" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z == -.infinity ? 0 : z * normalDistribution(z) }

  /// Φ(z) + z φ(z) with φ = Φ'; at ±∞ its limits 0 and 1.
  public func derivative(at z: Double) -> Double {
    if z.isInfinite { return z < 0 ? 0 : 1 }
    return normalDistribution(z) + z * exp(-z * z / 2) / (2 * Double.pi).squareRoot()
  }

  public var _kernel: _KernelActivation? { .gelu }

  /// erfc(−z/√2)/2, which unlike (1 + erf(z/√2))/2 keeps its digits where it is small.
  private func normalDistribution(_ z: Double) -> Double { erfc(-z * 0.5.squareRoot()) / 2 }
}
