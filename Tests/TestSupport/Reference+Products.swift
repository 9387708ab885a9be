extension Reference {
  /// C (m,n) = alpha op(A) op(B) + beta C. `a` is (m,k), or (k,m) when transposed; `b` is (k,n), or (n,k).
  ///
  /// beta = 0 does not read C, so that what it held (a NaN, say) cannot matter.
  public static func gemm(
    a: [Double], transposeA: Bool = false, b: [Double], transposeB: Bool = false, c: [Double] = [],
    m: Int, n: Int, k: Int, alpha: Double = 1, beta: Double = 0
  ) -> [Double] {
    precondition(a.count == m * k && b.count == k * n && (beta == 0 || c.count == m * n))
    var product = [Double](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        var sum = 0.0
        for inner in 0..<k {
          let left = transposeA ? a[inner * m + row] : a[row * k + inner]
          let right = transposeB ? b[column * k + inner] : b[inner * n + column]
          sum += left * right
        }
        product[row * n + column] = alpha * sum + (beta == 0 ? 0 : beta * c[row * n + column])
      }
    }
    return product
  }
}
