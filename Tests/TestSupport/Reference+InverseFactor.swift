extension Reference {
  /// L^-1 (r,r) with zeros above, where L L^T = A + shift I for a symmetric A of which the upper triangle is read. A pivot
  /// below the shift, or a NaN, is lifted to it.
  public static func inverseFactor(_ a: [Double], r: Int, shift: Double) -> [Double] {
    precondition(a.count == r * r)
    var l = [Double](repeating: 0, count: r * r)
    for j in 0..<r {
      var pivot = a[j * r + j] + shift
      for k in 0..<j { pivot -= l[j * r + k] * l[j * r + k] }
      l[j * r + j] = (pivot > shift ? pivot : shift).squareRoot()
      for i in j..<r where i > j {
        var sum = a[j * r + i]
        for k in 0..<j { sum -= l[i * r + k] * l[j * r + k] }
        l[i * r + j] = sum / l[j * r + j]
      }
    }
    var x = [Double](repeating: 0, count: r * r)
    for column in 0..<r {
      for i in column..<r {
        var sum = i == column ? 1.0 : 0
        for k in column..<i { sum -= l[i * r + k] * x[k * r + column] }
        x[i * r + column] = sum / l[i * r + i]
      }
    }
    return x
  }
}
