extension Reference {
  /// About the orthogonal factor of G (m,d): with X the G or Gᵀ that has no more rows than columns, over its norm,
  /// X ← aX + (b XXᵀ + c (XXᵀ)²) X for each (a, b, c).
  ///
  /// - Parameter seen: what a factor of a product is rounded to.
  public static func orthogonalFactor(
    _ g: [Double], rows m: Int, columns d: Int, coefficients: [[Double]], seen: (Double) -> Double = { $0 }
  ) -> [Double] {
    var norm = 0.0
    for x in g { norm += x * x }
    guard norm > 0 else { return g }
    norm = norm.squareRoot() + 1e-7
    let (s, l) = (min(m, d), max(m, d))
    var x = (m > d ? transposed(g, rows: m, columns: d) : g).map { $0 / norm }
    for of in coefficients {
      let rounded = x.map(seen)
      let gram = gemm(a: rounded, b: rounded, transposeB: true, m: s, n: s, k: l)
      let again = gram.map(seen)
      let square = gemm(a: again, b: again, transposeB: true, m: s, n: s, k: s)
      let p = gram.indices.map { seen(of[1] * gram[$0] + of[2] * square[$0]) }
      x = gemm(a: p, b: rounded, c: x, m: s, n: l, k: s, beta: of[0])
    }
    return m > d ? transposed(x, rows: d, columns: m) : x
  }

  /// To bfloat16, of 8 bits: of two as near the even one.
  public static func bfloat16(_ x: Double) -> Double {
    let bits = Float(x).bitPattern
    return Double(Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000))
  }

  private static func transposed(_ a: [Double], rows: Int, columns: Int) -> [Double] {
    (0..<columns * rows).map { a[$0 % rows * columns + $0 / rows] }
  }
}
