import Foundation

/// tanh z with an output y ∈ {−1, 1}, E y = tanh z: ν = sech² z (eqs 5–7).
public struct Tanh: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "tanh" }
  public var output: NeuronOutput { .bernoulli(low: -1, high: 1) }

  public func value(at z: Double) -> Double { Foundation.tanh(z) }

  /// sech² z = 4t/(1 + t)² with t = e^{−2|z|}, which neither overflows nor cancels.
  public func derivative(at z: Double) -> Double {
    let t = exp(-2 * abs(z))
    return 4 * t / ((1 + t) * (1 + t))
  }

  public func nu(at z: Double) -> Double { derivative(at: z) }

  public var _kernel: _KernelActivation? { .tanh }
}
