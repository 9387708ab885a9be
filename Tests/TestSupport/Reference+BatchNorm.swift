extension Reference {
  /// Batch normalisation of x (n,m) with scales (m,2), from its definition.
  public static func batchNorm(
    x: [Double], n: Int, m: Int, scales: [Double], epsilon: Double
  ) -> (y: [Double], normalized: [Double], mean: [Double], variance: [Double]) {
    var (y, normalized) = (x, x)
    var (mean, variance) = ([Double](repeating: 0, count: m), [Double](repeating: 0, count: m))
    for c in 0..<m {
      for s in 0..<n { mean[c] += x[s * m + c] / Double(n) }
      for s in 0..<n {
        let difference = x[s * m + c] - mean[c]
        variance[c] += difference * difference / Double(n)
      }
      for s in 0..<n {
        normalized[s * m + c] = (x[s * m + c] - mean[c]) / (variance[c] + epsilon).squareRoot()
        y[s * m + c] = scales[2 * c] * normalized[s * m + c] + scales[2 * c + 1]
      }
    }
    return (y, normalized, mean, variance)
  }

  /// ∂L/∂x and ∂L/∂scales (m,2) from ∂L/∂y, through the derivatives of mean and variance one by one.
  public static func batchNormBackward(
    delta: [Double], x: [Double], n: Int, m: Int, scales: [Double], epsilon: Double
  ) -> (delta: [Double], gradient: [Double]) {
    let forward = batchNorm(x: x, n: n, m: m, scales: scales, epsilon: epsilon)
    var (result, gradient) = (delta, [Double](repeating: 0, count: 2 * m))
    for c in 0..<m {
      let deviation = (forward.variance[c] + epsilon).squareRoot()
      var (byVariance, byMean) = (0.0, 0.0)
      for s in 0..<n {
        let d = delta[s * m + c]
        gradient[2 * c] += d * forward.normalized[s * m + c]
        gradient[2 * c + 1] += d
        let centred = x[s * m + c] - forward.mean[c]
        byVariance -= d * scales[2 * c] * centred / (2 * deviation * deviation * deviation)
        byMean -= d * scales[2 * c] / deviation
      }
      for s in 0..<n {
        let centred = x[s * m + c] - forward.mean[c]
        result[s * m + c] =
          delta[s * m + c] * scales[2 * c] / deviation + byVariance * 2 * centred / Double(n) + byMean / Double(n)
      }
    }
    return (result, gradient)
  }
}
