import Foundation

/// elu_α: z for z ≥ 0 and α(e^z − 1) below (eq 3), with a Gaussian output: ν = f'² (eq 8).
public struct Elu: Activation {
  /// The depth α ≥ 0 of the negative side.
  public let alpha: Double

  public init(alpha: Double = 1) {
    demand(alpha >= 0 && alpha < 1e30, "α: expected a depth from 0 up, found \(alpha)")
    self.alpha = alpha
  }

  public var name: String { "elu" }
  public var description: String { "elu(α=\(alpha))" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z < 0 ? alpha * expm1(z) : z }
  public func derivative(at z: Double) -> Double { z < 0 ? alpha * exp(z) : 1 }

  public var _kernel: _KernelActivation? { .elu(alpha: alpha) }
}
