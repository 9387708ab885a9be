import Foundation

/// The logistic σ(z) = 1/(1 + e^{−z}) as the mean of a Bernoulli output: ν = σ(z)(1 − σ(z)).
public struct Sigm: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "sigm" }
  public var output: NeuronOutput { .bernoulli(low: 0, high: 1) }

  public func value(at z: Double) -> Double {
    let t = exp(-abs(z))
    return (z < 0 ? t : 1) / (1 + t)
  }

  /// σ(1 − σ) = t/(1 + t)² with t = e^{−|z|}, which neither overflows nor cancels.
  public func derivative(at z: Double) -> Double {
    let t = exp(-abs(z))
    return t / ((1 + t) * (1 + t))
  }

  public func nu(at z: Double) -> Double { derivative(at: z) }

  public var _kernel: _KernelActivation? { .sigm }
}
