extension Reference {
  /// A pivot that was not a positive, finite number where the factorisation needed one.
  public struct PivotFailure: Error, Equatable, Sendable {
    public let pivot: Int
    public let value: Double
  }

  /// The lower triangular L of A + damping I = L L^T for one (d,d) block, of which the lower triangle is read.
  ///
  /// A pivot counts as positive when it exceeds `unit` times the damped diagonal element it came from: the header's
  /// rule, by which a rank-deficient block is found out. `unit` is the unit roundoff of the kernel under test.
  public static func cholesky(
    _ a: [Double], d: Int, damping: Double, unit: Double = Precision.double.unitRoundoff
  ) -> Result<[Double], PivotFailure> {
    precondition(a.count == d * d)
    var l = [Double](repeating: 0, count: d * d)
    for j in 0..<d {
      let diagonal = a[j * d + j] + damping
      var pivot = diagonal
      for k in 0..<j { pivot -= l[j * d + k] * l[j * d + k] }
      guard pivot > 0, pivot > unit * diagonal, pivot.isFinite else {
        return .failure(PivotFailure(pivot: j, value: pivot))
      }
      l[j * d + j] = pivot.squareRoot()
      for i in j..<d where i > j {
        var sum = a[i * d + j]
        for k in 0..<j { sum -= l[i * d + k] * l[j * d + k] }
        l[i * d + j] = sum / l[j * d + j]
      }
    }
    return .success(l)
  }

  /// (L L^T)^-1 v by forward and backward substitution.
  public static func choleskySolve(_ l: [Double], _ v: [Double], d: Int) -> [Double] {
    precondition(l.count == d * d && v.count == d)
    var solution = v
    for i in 0..<d {
      for k in 0..<i { solution[i] -= l[i * d + k] * solution[k] }
      solution[i] /= l[i * d + i]
    }
    for i in (0..<d).reversed() {
      for k in i..<d where k > i { solution[i] -= l[k * d + i] * solution[k] }
      solution[i] /= l[i * d + i]
    }
    return solution
  }

  /// L L^T: compared with the matrix it came from, it judges a factor without its condition number.
  public static func reconstruct(_ l: [Double], d: Int) -> [Double] {
    precondition(l.count == d * d)
    var product = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0...i {
        var sum = 0.0
        for k in 0...j { sum += l[i * d + k] * l[j * d + k] }
        product[i * d + j] = sum
        product[j * d + i] = sum
      }
    }
    return product
  }

  /// The matrix with `damping` added to its diagonal.
  public static func damped(_ a: [Double], d: Int, damping: Double) -> [Double] {
    var result = a
    for j in 0..<d { result[j * d + j] += damping }
    return result
  }

  /// The normwise backward error of x as a solution of A x = v: max |A x - v| / (|A| |x| + |v|), in maximum norms. A
  /// stable solve keeps it near the unit roundoff whatever the condition of A.
  public static func backwardError(_ a: [Double], x: [Double], v: [Double], d: Int) -> Double {
    precondition(a.count == d * d && x.count == d && v.count == d)
    var residual = 0.0
    var norm = 0.0
    for i in 0..<d {
      var sum = -v[i]
      var row = 0.0
      for j in 0..<d {
        sum += a[i * d + j] * x[j]
        row += abs(a[i * d + j])
      }
      if !(abs(sum) <= residual) { residual = abs(sum) }
      norm = max(norm, row)
    }
    let size = norm * maximumNorm(x) + maximumNorm(v)
    return residual == 0 ? 0 : residual / size
  }

  /// The largest magnitude; infinite when there is a NaN.
  public static func maximumNorm(_ numbers: [Double]) -> Double {
    var largest = 0.0
    for number in numbers {
      if number.isNaN { return .infinity }
      largest = max(largest, abs(number))
    }
    return largest
  }
}
