import Foundation

extension Reference {
  /// A row of Table 1, or one like it: f, f' and nu_f of one number.
  public enum Activation: Hashable, Sendable, CustomStringConvertible {
    case tanh
    case sigm
    /// omega = 0 is the hard (leaky) relu, whose f'(0) is iota.
    case relu(iota: Double, omega: Double)
    case elu(alpha: Double)
    case linear
    /// z sigm(z)
    case silu
    /// z Phi(z)
    case gelu

    public var description: String {
      switch self {
      case .tanh: "tanh"
      case .sigm: "sigm"
      case .relu(let iota, let omega): "relu(iota \(iota), omega \(omega))"
      case .elu(let alpha): "elu(alpha \(alpha))"
      case .linear: "linear"
      case .silu: "silu"
      case .gelu: "gelu"
      }
    }

    public func value(_ z: Double) -> Double {
      switch self {
      case .tanh: return Foundation.tanh(z)
      case .sigm: return sigmoid(z)
      case .relu(let iota, 0): return z > 0 || z.isNaN ? z : iota == 0 ? 0 : iota * z
      case .relu(let iota, let omega):
        // omega ln(e^{iota z/omega} + e^{z/omega}), the larger exponent taken out of the logarithm
        if z.isInfinite { return z > 0 || iota > 0 ? z : 0 }
        let larger = max(z, iota * z)
        let smaller = min(z, iota * z)
        return z.isNaN ? z : larger + omega * log1p(exp((smaller - larger) / omega))
      case .elu(let alpha): return z < 0 ? alpha * expm1(z) : z
      case .linear: return z
      case .silu: return Gated.silu(z).value(z)
      case .gelu: return Gated.gelu(z).value(z)
      }
    }

    public func derivative(_ z: Double) -> Double {
      switch self {
      case .tanh: return hyperbolicSecantSquared(z)
      case .sigm: return hyperbolicSecantSquared(z / 2) / 4
      case .relu(let iota, 0): return z > 0 ? 1 : iota
      case .relu(let iota, let omega): return iota + (1 - iota) * sigmoid((1 - iota) * z / omega)
      case .elu(let alpha): return z < 0 ? alpha * exp(z) : 1
      case .linear: return 1
      case .silu: return Gated.silu(z).derivative(z)
      case .gelu: return Gated.gelu(z).derivative(z)
      }
    }

    /// Eq 4 for the two Bernoulli outputs, where p'^2 / (p (1 - p)) is f' itself; eq 8, f'^2, for the Gaussian ones.
    public func nu(_ z: Double) -> Double {
      let slope = derivative(z)
      switch self {
      case .tanh, .sigm: return slope
      case .relu, .elu, .linear, .silu, .gelu: return slope * slope
      }
    }

    /// How much rounding the argument of the exponential costs the result, relatively: no implementation does better.
    public func condition(_ z: Double) -> Double {
      guard case .relu(let iota, let omega) = self, omega > 0, z.isFinite else { return 1 }
      return 1 + min(abs((1 - iota) * z / omega), 1100)
    }

    /// What the error of f(z) is relative to: |f(z)|, or the terms it is the sum of where they cancel (a leaky relu
    /// with omega > 0 passes through 0 left of the origin).
    public func magnitude(_ z: Double) -> Double {
      let value = abs(value(z))
      guard case .relu(let iota, let omega) = self, omega > 0, z.isFinite else { return value }
      return max(value, abs(max(z, iota * z)))
    }

    /// What the error of f'(z) is relative to: |f'(z)|, or the two terms whose sum passes through 0 in silu and gelu.
    public func derivativeMagnitude(_ z: Double) -> Double {
      switch self {
      case .silu: Gated.silu(z).derivativeMagnitude(z)
      case .gelu: Gated.gelu(z).derivativeMagnitude(z)
      case .tanh, .sigm, .relu, .elu, .linear: abs(derivative(z))
      }
    }

    /// What the error of nu(z) is relative to: nu where f' has no cancellation.
    public func nuMagnitude(_ z: Double) -> Double {
      switch self {
      case .silu, .gelu: derivativeMagnitude(z) * derivativeMagnitude(z)
      case .tanh, .sigm, .relu, .elu, .linear: nu(z)
      }
    }
  }
}

private func sigmoid(_ z: Double) -> Double { z < 0 ? exp(z) / (1 + exp(z)) : 1 / (1 + exp(-z)) }

/// 1 / cosh^2, squared last: cosh itself may overflow, and then the result is 0 as it should be.
private func hyperbolicSecantSquared(_ z: Double) -> Double {
  let secant = 1 / cosh(z)
  return secant * secant
}
