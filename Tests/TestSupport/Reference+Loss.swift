import Foundation

extension Reference {
  /// What a mini-batch with targets says about outputs z: the sum of the losses, rows that are right, and scale · ∂/∂z.
  public struct Loss: Sendable {
    public var loss = 0.0
    public var correct = 0
    public var delta: [Double] = []

    public init() {}
  }

  /// −log of what σ(z) gives to labels t: −t log σ(z) − (1 − t) log σ(−z), with −log σ(z) = log(1 + e^−z).
  public static func bernoulliCrossEntropy(z: [Double], t: [Double], n: Int, m: Int, scale: Double) -> Loss {
    precondition(z.count == n * m && t.count == n * m)
    func lack(_ z: Double) -> Double { z < 0 ? log1p(exp(z)) - z : log1p(exp(-z)) }
    var result = Loss()
    for sample in 0..<n {
      let row = sample * m..<(sample + 1) * m
      for i in row { result.loss += t[i] * lack(z[i]) + (1 - t[i]) * lack(-z[i]) }
      if row.allSatisfy({ (z[$0] > 0) == (t[$0] > 0.5) }) { result.correct += 1 }
    }
    result.delta = zip(z, t).map { z, t in scale * ((1 + tanh(z / 2)) / 2 - t) }
    return result
  }

  /// Σ (z − t)²/(2σ²).
  public static func squaredError(z: [Double], t: [Double], sigma: Double, scale: Double) -> Loss {
    var result = Loss()
    for (z, t) in zip(z, t) {
      result.loss += pow((z - t) / sigma, 2) / 2
      result.delta.append(scale * (z - t) / (sigma * sigma))
    }
    return result
  }
}
