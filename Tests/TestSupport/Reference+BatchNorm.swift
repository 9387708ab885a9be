extension Reference {
  /// What batch normalisation makes of a mini-batch X (n,m).
  public struct BatchNorm: Sendable {
    public var y: [Double] = []
    public var xhat: [Double] = []
    public var mean: [Double] = []
    public var variance: [Double] = []
    public var istd: [Double] = []
  }

  /// Channel by channel with its n values, `w` (m,2) a row (gamma, beta) each.
  public static func batchNorm(x: [Double], w: [Double], n: Int, m: Int, epsilon: Double) -> BatchNorm {
    precondition(x.count == n * m && w.count == 2 * m && n > 0)
    var result = BatchNorm()
    (result.y, result.xhat) = (x, x)
    for i in 0..<m {
      let channel = (0..<n).map { x[$0 * m + i] }
      // (differences from the first value round less than the values do)
      let shift = sum(channel.map { $0 - channel[0] }) / Double(n)
      let mean = channel[0] + shift
      let differences = channel.map { $0 - channel[0] - shift }
      let variance = sum(differences.map { $0 * $0 }) / Double(n)
      let deviation = (variance + epsilon).squareRoot()
      result.mean.append(mean)
      result.variance.append(variance)
      result.istd.append(1 / deviation)
      for s in 0..<n {
        let value = differences[s] / deviation
        result.xhat[s * m + i] = value
        result.y[s * m + i] = w[2 * i] * value + w[2 * i + 1]
      }
    }
    return result
  }

  /// dX (n,m) and G (m,2) from dY (n,m), by the chain rule through mean and variance: the Jacobian of a channel is
  /// dxhat_s/dx_t = istd (delta_st - 1/n - xhat_s xhat_t / n).
  public static func batchNormBackward(
    dy: [Double], xhat: [Double], istd: [Double], w: [Double], n: Int, m: Int
  ) -> (dx: [Double], g: [Double]) {
    precondition(dy.count == n * m && xhat.count == n * m && istd.count == m && w.count == 2 * m)
    var (dx, g) = (dy, w)
    for i in 0..<m {
      let (d, x) = ((0..<n).map { dy[$0 * m + i] }, (0..<n).map { xhat[$0 * m + i] })
      let (product, sum) = (self.sum(zip(d, x).map { $0 * $1 }), self.sum(d))
      (g[2 * i], g[2 * i + 1]) = (product, sum)
      for t in 0..<n {
        dx[t * m + i] = w[2 * i] * istd[i] * (d[t] - sum / Double(n) - x[t] * product / Double(n))
      }
    }
    return (dx, g)
  }

  /// By a mean and a variance that are given.
  public static func batchNormEvaluate(
    x: [Double], mean: [Double], variance: [Double], w: [Double], n: Int, m: Int, epsilon: Double
  ) -> [Double] {
    precondition(x.count == n * m && mean.count == m && variance.count == m && w.count == 2 * m)
    return x.indices.map { k in
      let i = k % m
      return w[2 * i] * (x[k] - mean[i]) / (variance[i] + epsilon).squareRoot() + w[2 * i + 1]
    }
  }

  /// With what each addition loses kept aside: of 10,000 terms a plain sum is no better than the kernels in double.
  static func sum(_ terms: [Double]) -> Double {
    var (total, lost) = (0.0, 0.0)
    for term in terms {
      let next = total + term
      lost += abs(total) >= abs(term) ? (total - next) + term : (term - next) + total
      total = next
    }
    return total + lost
  }
}
