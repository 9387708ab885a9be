import Foundation

extension Reference {
  /// z G(z) with its derivative, for the G of silu and gelu.
  ///
  /// Left of 0, G is a small number times h², where h² alone would be denormal, and rounded, too early: z up to 760
  /// would enlarge what is lost. So h is multiplied in twice, the second time last.
  struct Gated {
    /// G(z) = gate · h² and G'(z) = density · h²
    var gate: Double
    var density: Double
    var h = 1.0

    func value(_ z: Double) -> Double {
      if z.isInfinite { return z < 0 ? 0 : z }
      return z * gate * h * h
    }

    func derivative(_ z: Double) -> Double {
      if z.isInfinite { return z < 0 ? 0 : 1 }
      return (gate + z * density) * h * h
    }

    /// The terms of the derivative, which cancel at one z < 0.
    func derivativeMagnitude(_ z: Double) -> Double {
      if z.isInfinite { return z < 0 ? 0 : 1 }
      return (gate + abs(z) * density) * h * h
    }

    /// G = sigm
    static func silu(_ z: Double) -> Gated {
      let t = exp(-abs(z))
      let plus = 1 + t
      if z < 0 { return Gated(gate: 1 / plus, density: 1 / (plus * plus), h: exp(z / 2)) }
      return Gated(gate: 1 / plus, density: t / (plus * plus))
    }

    /// G = Phi, the normal distribution.
    static func gelu(_ z: Double) -> Gated {
      // e^{-z^2/4}, put right by what the rounding of z^2 took away
      let square = z * z
      let h = square.isFinite ? exp(-square / 4) * (1 - (-square).addingProduct(z, z) / 4) : z.isNaN ? z : 0
      let peak = 1 / (2 * Double.pi).squareRoot()
      if z >= -8 { return Gated(gate: normalDistribution(z), density: peak * h * h) }
      return Gated(gate: peak * millsRatio(-z), density: peak, h: h)
    }

    /// erfc(-z/√2)/2. The argument is rounded, which costs z² units of roundoff, and so the first term of the Taylor
    /// series goes back: erfc' = -2/√π e^{-x²}.
    private static func normalDistribution(_ z: Double) -> Double {
      let high = 0.5.squareRoot()
      let low = (0.5).addingProduct(-high, high) / (2 * high)
      let x = -z * high
      let lost = (-x).addingProduct(-z, high) - z * low
      return erfc(x) / 2 - exp(-x * x) * lost / Double.pi.squareRoot()
    }

    /// Phi(-a)/phi(a) = 1/(a + 1/(a + 2/(a + 3/(a + ...)))), Laplace's continued fraction, for a > 8: where erfc is
    /// denormal it has lost its digits. 40 levels are more than enough for 1e-17.
    private static func millsRatio(_ a: Double) -> Double {
      var tail = a
      for level in stride(from: 40.0, through: 1, by: -1) { tail = a + level / tail }
      return 1 / tail
    }
  }
}
