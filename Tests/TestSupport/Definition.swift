import Foundation

/// Fisher matrices by their definition, E_y[∇log p(y|θ) ∇log p(y|θ)ᵀ]: the expectation over all outcomes, the scores by
/// differences of log p. Nothing of the closed forms under test is used.
public enum Definition {
  /// An outcome y and its probability (or, for continuous ones, the weight of a quadrature node) at the true θ.
  public struct Outcome: Sendable {
    public var y: [Double]
    public var weight: Double

    public init(y: [Double], weight: Double) { (self.y, self.weight) = (y, weight) }
  }

  /// A distribution of one output: its outcomes at mean parameter z, and log p(y | z).
  public enum Output: Sendable {
    /// ±1 with mean tanh z.
    case signs
    /// 0 or 1 with mean sigm z.
    case bits
    /// Normal with mean f(z) and standard deviation σ.
    case gaussian(sigma: Double, mean: @Sendable (Double) -> Double)

    public func logDensity(_ y: Double, z: Double) -> Double {
      switch self {
      // log p(±1) = −log(1 + e^{∓2z}), log p(1) = −log(1 + e^{−z}): no difference of nearly equal numbers
      case .signs: return -log1p(exp(-2 * y * z))
      case .bits: return -log1p(exp(y == 1 ? -z : z))
      case .gaussian(let sigma, let mean):
        let distance = (y - mean(z)) / sigma
        return -distance * distance / 2
      }
    }

    /// Three nodes of Gauss and Hermite are exact up to degree five: the square of a score has degree two.
    func outcomes(z: Double) -> [Outcome] {
      switch self {
      case .signs: return [-1, 1].map { Outcome(y: [$0], weight: exp(logDensity($0, z: z))) }
      case .bits: return [0, 1].map { Outcome(y: [$0], weight: exp(logDensity($0, z: z))) }
      case .gaussian(let sigma, let mean):
        let nodes: [(Double, Double)] = [(-3.0.squareRoot(), 1.0 / 6), (0, 2.0 / 3), (3.0.squareRoot(), 1.0 / 6)]
        return nodes.map { Outcome(y: [mean(z) + sigma * $0.0], weight: $0.1) }
      }
    }
  }

  /// All outcomes of independent outputs with these z: the product of the outcomes of each.
  public static func outcomes(_ outputs: [Output], z: [Double]) -> [Outcome] {
    zip(outputs, z).reduce([Outcome(y: [], weight: 1)]) { all, next in
      all.flatMap { before in
        next.0.outcomes(z: next.1).map { Outcome(y: before.y + $0.y, weight: before.weight * $0.weight) }
      }
    }
  }

  /// E[∇log p ∇log pᵀ] at θ, row-major.
  public static func fisher(
    at theta: [Double], outcomes: [Outcome], logDensity: (_ theta: [Double], _ y: [Double]) -> Double
  ) -> [Double] {
    let size = theta.count
    var matrix = [Double](repeating: 0, count: size * size)
    for outcome in outcomes where outcome.weight > 0 {
      let score = gradient(at: theta) { logDensity($0, outcome.y) }
      for i in 0..<size {
        for j in 0..<size { matrix[i * size + j] += outcome.weight * score[i] * score[j] }
      }
    }
    return matrix
  }

  /// −E[∂² log p] at θ, row-major, by second differences.
  public static func negativeHessian(
    at theta: [Double], outcomes: [Outcome], logDensity: (_ theta: [Double], _ y: [Double]) -> Double
  ) -> [Double] {
    let size = theta.count
    var matrix = [Double](repeating: 0, count: size * size)
    for outcome in outcomes where outcome.weight > 0 {
      for i in 0..<size {
        let row = gradient(at: theta) { point in
          derivative(at: point, i) { logDensity($0, outcome.y) }
        }
        for j in 0..<size { matrix[i * size + j] -= outcome.weight * row[j] }
      }
    }
    return matrix
  }

  /// ∇f by central differences of eighth order: truncation and rounding are both about 1e-13 at this step.
  public static func gradient(at theta: [Double], of f: ([Double]) -> Double) -> [Double] {
    theta.indices.map { derivative(at: theta, $0, of: f) }
  }

  private static func derivative(at theta: [Double], _ i: Int, of f: ([Double]) -> Double) -> Double {
    let step = 0.02
    let coefficients = [4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280]
    var sum = 0.0
    var point = theta
    for (k, coefficient) in coefficients.enumerated() {
      point[i] = theta[i] + Double(k + 1) * step
      let right = f(point)
      point[i] = theta[i] - Double(k + 1) * step
      sum += coefficient * (right - f(point))
    }
    return sum / step
  }
}
