extension Reference {
  /// Eq 10: the (md,md) matrix alpha sum_s (diag eta_s - eta_s eta_s^T) (x) x~_s x~_s^T, entry by entry.
  public static func softmaxBlock(x: [Double], eta: [Double], n: Int, d: Int, m: Int, alpha: Double) -> [Double] {
    precondition(x.count == n * d && eta.count == n * m)
    let order = m * d
    var block = [Double](repeating: 0, count: order * order)
    for sample in 0..<n {
      for i in 0..<m {
        for j in 0..<m {
          let weight = alpha * softmaxCovariance(eta, sample: sample, m: m, i: i, j: j)
          for a in 0..<d {
            let scaled = weight * x[sample * d + a]
            for b in 0..<d { block[(i * d + a) * order + j * d + b] += scaled * x[sample * d + b] }
          }
        }
      }
    }
    return block
  }

  /// R (m,d) = the matrix of eq 10 times V (m,d), summed over j and b for each sample as the definition has it: the
  /// (m,m) covariance is formed, and nothing is factored out.
  public static func softmaxBlockMatvec(
    x: [Double], eta: [Double], v: [Double], n: Int, d: Int, m: Int, alpha: Double
  ) -> [Double] {
    precondition(x.count == n * d && eta.count == n * m && v.count == m * d)
    var product = [Double](repeating: 0, count: m * d)
    for sample in 0..<n {
      for i in 0..<m {
        var sum = 0.0
        for j in 0..<m {
          let weight = softmaxCovariance(eta, sample: sample, m: m, i: i, j: j)
          for b in 0..<d { sum += weight * x[sample * d + b] * v[j * d + b] }
        }
        for a in 0..<d { product[i * d + a] += alpha * sum * x[sample * d + a] }
      }
    }
    return product
  }

  /// The same product in O(n m d), for sizes at which the definition takes too long: the covariance times V x~ is
  /// eta (V x~) - eta (eta . V x~).
  public static func softmaxBlockMatvecByProducts(
    x: [Double], eta: [Double], v: [Double], n: Int, d: Int, m: Int, alpha: Double
  ) -> [Double] {
    precondition(x.count == n * d && eta.count == n * m && v.count == m * d)
    var product = [Double](repeating: 0, count: m * d)
    var z = [Double](repeating: 0, count: m)
    for sample in 0..<n {
      var mean = 0.0
      for i in 0..<m {
        z[i] = 0
        for b in 0..<d { z[i] += v[i * d + b] * x[sample * d + b] }
        mean += eta[sample * m + i] * z[i]
      }
      for i in 0..<m {
        let scaled = alpha * eta[sample * m + i] * (z[i] - mean)
        for a in 0..<d { product[i * d + a] += scaled * x[sample * d + a] }
      }
    }
    return product
  }

  /// delta_ij eta_i - eta_i eta_j.
  private static func softmaxCovariance(_ eta: [Double], sample: Int, m: Int, i: Int, j: Int) -> Double {
    let product = eta[sample * m + i] * eta[sample * m + j]
    return i == j ? eta[sample * m + i] - product : -product
  }
}
