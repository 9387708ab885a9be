extension Reference {
  /// A^-1 of a (d,d) matrix by Gauss and Jordan's elimination with row pivoting: no factor of A is used.
  public static func inverse(_ a: [Double], d: Int) -> [Double] {
    precondition(a.count == d * d)
    var left = a
    var right = identity(d)
    for column in 0..<d {
      let pivot = (column..<d).max { abs(left[$0 * d + column]) < abs(left[$1 * d + column]) }!
      for j in 0..<d {
        left.swapAt(pivot * d + j, column * d + j)
        right.swapAt(pivot * d + j, column * d + j)
      }
      let reciprocal = 1 / left[column * d + column]
      for j in 0..<d {
        left[column * d + j] *= reciprocal
        right[column * d + j] *= reciprocal
      }
      for i in 0..<d where i != column {
        let factor = left[i * d + column]
        for j in 0..<d {
          left[i * d + j] -= factor * left[column * d + j]
          right[i * d + j] -= factor * right[column * d + j]
        }
      }
    }
    return right
  }

  /// A x.
  public static func multiply(_ a: [Double], _ x: [Double], d: Int) -> [Double] {
    gemm(a: a, b: x, m: d, n: 1, k: d)
  }

  public static func identity(_ d: Int) -> [Double] {
    (0..<d * d).map { $0 / max(d, 1) == $0 % max(d, 1) ? 1 : 0 }
  }
}
