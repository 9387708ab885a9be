extension Reference {
  /// The covariance O_s of the outputs above a hidden layer: of independent ones with nu (n,outputs), or of a softmax's
  /// with eta.
  public enum Outputs: Sendable {
    case independent, softmax

    func covariance(_ above: [Double], sample: Int, outputs: Int, _ l: Int, _ k: Int) -> Double {
      let (first, second) = (above[sample * outputs + l], above[sample * outputs + k])
      switch self {
      case .independent: return l == k ? first : 0
      case .softmax: return l == k ? first - first * first : -first * second
      }
    }
  }

  /// Eq 12: R (m,d) = alpha sum_s (F_s C^T O_s C F_s (x) x~_s x~_s^T) V, block by block: G_ij is formed as a (d,d) matrix
  /// for every pair of neurons, its weights summed over pairs of outputs.
  public static func twoLayerMatvec(
    x: [Double], slopes: [Double], c: [Double], above: [Double], kind: Outputs, v: [Double], n: Int, d: Int, m: Int,
    outputs: Int, alpha: Double
  ) -> [Double] {
    precondition(x.count == n * d && slopes.count == n * m && c.count == outputs * m && above.count == n * outputs)
    var product = [Double](repeating: 0, count: m * d)
    for i in 0..<m {
      for j in 0..<m {
        let weights = (0..<n).map { s in
          var sum = 0.0
          for l in 0..<outputs {
            for k in 0..<outputs {
              sum += c[l * m + i] * c[k * m + j] * kind.covariance(above, sample: s, outputs: outputs, l, k)
            }
          }
          return sum * slopes[s * m + i] * slopes[s * m + j]
        }
        let block = weightedGram(x: x, nu: weights, n: n, d: d, m: 1, alpha: alpha)[0]
        let image = multiply(block, Array(v[j * d..<(j + 1) * d]), d: d)
        for a in 0..<d { product[i * d + a] += image[a] }
      }
    }
    return product
  }

  /// The same by products from right to left, for sizes at which the definition takes too long.
  public static func twoLayerMatvecByProducts(
    x: [Double], slopes: [Double], c: [Double], above: [Double], kind: Outputs, v: [Double], n: Int, d: Int, m: Int,
    outputs: Int, alpha: Double
  ) -> [Double] {
    var z = gemm(a: x, b: v, transposeB: true, m: n, n: m, k: d)
    for e in z.indices { z[e] *= slopes[e] }
    var a = gemm(a: z, b: c, transposeB: true, m: n, n: outputs, k: m)
    for s in 0..<n {
      let row = s * outputs..<(s + 1) * outputs
      let mean = kind == .softmax ? row.reduce(0) { $0 + above[$1] * a[$1] } : 0
      for e in row { a[e] = above[e] * (a[e] - mean) }
    }
    z = gemm(a: a, b: c, m: n, n: m, k: outputs)
    for e in z.indices { z[e] *= slopes[e] }
    return gemm(a: z, transposeA: true, b: x, m: m, n: d, k: n, alpha: alpha)
  }
}
