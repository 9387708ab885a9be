extension Reference {
  /// Coupled L2 on weights only: G + l2 W, both (m,d), the last column (the biases) left out.
  public static func weightDecay(g: [Double], w: [Double], m: Int, d: Int, l2: Double) -> [Double] {
    precondition(g.count == m * d && w.count == m * d)
    var result = g
    for i in 0..<m {
      for j in 0..<d where j + 1 < d { result[i * d + j] += l2 * w[i * d + j] }
    }
    return result
  }

  /// The inner products of the rows of A and B, both (m,d).
  public static func rowDots(a: [Double], b: [Double], m: Int, d: Int) -> [Double] {
    (0..<m).map { i in (0..<d).reduce(0) { $0 + a[i * d + $1] * b[i * d + $1] } }
  }

  /// w - rate g.
  public static func sgd(w: [Double], g: [Double], rate: Double) -> [Double] {
    zip(w, g).map { $0 - rate * $1 }
  }

  /// v = momentum v + g, then w - rate v.
  public static func momentum(
    w: [Double], v: [Double], g: [Double], rate: Double, momentum: Double
  ) -> (w: [Double], v: [Double]) {
    let velocity = zip(v, g).map { momentum * $0 + $1 }
    return (sgd(w: w, g: velocity, rate: rate), velocity)
  }

  /// One step of Kingma & Ba's Adam. The bias corrections are in `rate` and `epsilon` already, as in the kernel.
  public static func adam(
    w: [Double], first: [Double], second: [Double], g: [Double], rate: Double, beta1: Double, beta2: Double,
    epsilon: Double
  ) -> (w: [Double], first: [Double], second: [Double]) {
    var result = (w: w, first: first, second: second)
    for i in w.indices {
      result.first[i] = beta1 * first[i] + (1 - beta1) * g[i]
      result.second[i] = beta2 * second[i] + (1 - beta2) * g[i] * g[i]
      result.w[i] -= rate * result.first[i] / (result.second[i].squareRoot() + epsilon)
    }
    return result
  }
}
