import Foundation

/// elu_α: z for z ≥ 0 and α(e^z − 1) below (eq 3), with a Gaussian output: ν = f'² (eq 8).
public struct Elu: Activation {
  /// The depth α ≥ 0 of the negative side.
  public let alpha: Double

  public init() { alpha = 1 }

  /// - Parameter alpha: from 0 to 1e6.
  /// - Throws: `invalidArgument`.
  public init(alpha: Double) throws(FisherError) {
    try require(alpha >= 0 && alpha <= 1e6, "alpha", expected: "a number from 0 to 1e6", found: alpha)
    self.alpha = alpha
  }

  public var parameters: [String: Double] { ["alpha": alpha] }
  public init?(parameters: [String: Double]) {
    guard parameters.count == 1, let alpha = parameters["alpha"] else { return nil }
    do { try self.init(alpha: alpha) } catch { return nil }
  }

  public var name: String { "elu" }
  public var description: String { "elu(α=\(alpha))" }
  public var output: NeuronOutput { .gaussian }

  public func value(at z: Double) -> Double { z < 0 ? alpha * expm1(z) : z }
  public func derivative(at z: Double) -> Double { z < 0 ? alpha * exp(z) : 1 }

  public var _kernel: _KernelActivation? { .elu(alpha: alpha) }
}
