/// f(z) = z with a Gaussian output of unit variance: ν = 1.
public struct Linear: Activation {
  public init() {}
  public init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }

  public var name: String { "linear" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z }
  public func derivative(at z: Double) -> Double { 1 }

  public var _kernel: _KernelActivation? { .linear }
}
