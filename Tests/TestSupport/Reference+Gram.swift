extension Reference {
  /// alpha sum_s nu(s,i) x~_s x~_s^T for the given neurons i only, each a full symmetric (d,d) matrix: a layer too
  /// large to be recomputed whole can still be checked by a few of its neurons.
  public static func weightedGram(
    x: [Double], nu: [Double], n: Int, d: Int, m: Int, neurons: [Int]? = nil, alpha: Double = 1
  ) -> [[Double]] {
    precondition(x.count == n * d && nu.count == n * m)
    return (neurons ?? Array(0..<m)).map { neuron in
      weightedGram(x: x, n: n, d: d, alpha: alpha) { sample in nu[sample * m + neuron] }
    }
  }

  /// alpha X^T X.
  public static func gram(x: [Double], n: Int, d: Int, alpha: Double = 1) -> [Double] {
    precondition(x.count == n * d)
    return weightedGram(x: x, n: n, d: d, alpha: alpha) { _ in 1 }
  }

  private static func weightedGram(
    x: [Double], n: Int, d: Int, alpha: Double, weight: (Int) -> Double
  ) -> [Double] {
    var gram = [Double](repeating: 0, count: d * d)
    for sample in 0..<n {
      let weight = weight(sample)
      for i in 0..<d {
        let scaled = weight * x[sample * d + i]
        for j in 0...i { gram[i * d + j] += scaled * x[sample * d + j] }
      }
    }
    for i in 0..<d {
      for j in 0...i {
        let element = alpha * gram[i * d + j]
        gram[i * d + j] = element
        gram[j * d + i] = element
      }
    }
    return gram
  }
}
