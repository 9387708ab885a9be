import Foundation

extension SplitMix64 {
  /// X (n,d): normal inputs with the bias column, 1, last.
  public mutating func samples(n: Int, d: Int) -> [Double] {
    var x = normal(n * d)
    if d > 0 {
      for sample in 0..<n { x[sample * d + d - 1] = 1 }
    }
    return x
  }

  /// Labels in 0 ..< m.
  public mutating func labels(n: Int, m: Int) -> [Int32] {
    (0..<n).map { _ in Int32(next() % UInt64(m)) }
  }

  /// The Gram matrix of 2d samples over d: a positive definite block of moderate condition.
  public mutating func positiveDefinite(d: Int) -> [Double] {
    Reference.gram(x: normal(2 * d * d), n: 2 * d, d: d, alpha: 1 / Double(max(d, 1)))
  }

  /// A symmetric matrix with these eigenvalues: Q diag Q^T, where Q is a product of random Householder reflections.
  public mutating func symmetric(eigenvalues: [Double]) -> [Double] {
    let d = eigenvalues.count
    var a = [Double](repeating: 0, count: d * d)
    for i in 0..<d { a[i * d + i] = eigenvalues[i] }
    for _ in 0..<min(d, 4) {
      let u = normal(d)
      let scale = 2 / u.reduce(0) { $0 + $1 * $1 }
      reflect(&a, u, scale: scale, d: d)
    }
    return a
  }

  /// The eigenvalues fall geometrically from 1 to 1 / condition.
  public mutating func positiveDefinite(d: Int, condition: Double) -> [Double] {
    let ratio = d > 1 ? pow(1 / condition, 1 / Double(d - 1)) : 1
    var eigenvalue = 1.0
    return symmetric(
      eigenvalues: (0..<d).map { _ in
        defer { eigenvalue *= ratio }
        return eigenvalue
      })
  }

  /// U D U^T with U unit lower triangular and D = 1 except for one `value`: its Cholesky factorisation fails at `pivot`,
  /// where it finds that.
  public mutating func indefinite(d: Int, pivot: Int, value: Double = -1) -> [Double] {
    var u = uniform(d * d, in: -0.5...0.5)
    for i in 0..<d {
      u[i * d + i] = 1
      for j in 0..<d where j > i { u[i * d + j] = 0 }
    }
    var scaled = u
    for i in 0..<d { scaled[i * d + pivot] *= value }
    return Reference.gemm(a: scaled, b: u, transposeB: true, m: d, n: d, k: d)
  }
}

/// a = H a H with H = I - scale u u^T.
private func reflect(_ a: inout [Double], _ u: [Double], scale: Double, d: Int) {
  let image = (0..<d).map { i in (0..<d).reduce(0) { $0 + a[i * d + $1] * u[$1] } }
  let middle = scale * scale * zip(u, image).reduce(0) { $0 + $1.0 * $1.1 }
  for i in 0..<d {
    for j in 0..<d { a[i * d + j] += middle * u[i] * u[j] - scale * (u[i] * image[j] + image[i] * u[j]) }
  }
}
