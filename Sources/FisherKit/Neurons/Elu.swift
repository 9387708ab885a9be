import Foundation

/// elu_α: z for z ≥ 0 and α(e^z − 1) below (eq 3), with a Gaussian output: ν = f'² (eq 8).
public struct Elu: Activation {
  /// The depth α ≥ 0 of the negative side.
  public let alpha: Double

  public init(alpha: Double = 1) {
    demand(Self.isDepth(alpha), "α: expected a depth from 0 up, found \(alpha)")
    self.alpha = alpha
  }

  private static func isDepth(_ alpha: Double) -> Bool { alpha >= 0 && alpha < 1e30 }

  public var parameters: [String: Double] { ["alpha": alpha] }
  public init?(parameters: [String: Double]) {
    guard parameters.count == 1, let alpha = parameters["alpha"], Self.isDepth(alpha) else {
      return nil
    }
    self.init(alpha: alpha)
  }

  public var name: String { "elu" }
  public var description: String { "elu(α=\(alpha))" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z < 0 ? alpha * expm1(z) : z }
  public func derivative(at z: Double) -> Double { z < 0 ? alpha * exp(z) : 1 }

  public var _kernel: _KernelActivation? { .elu(alpha: alpha) }
}
