/// What it takes to make the rows of a matrix orthonormal, in double precision. Loops are compiled for both precisions.
extension Matrix {
  /// Scales a row to length 1; `false` when it is zero or not finite, and is left alone.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func normalizeRow(_ i: Int) -> Bool {
    let row = storage.base + i * stride
    var square = 0.0
    for j in 0..<columns { square += Double(row[j]) * Double(row[j]) }
    guard square > Double(Scalar.leastNormalMagnitude), square.isFinite else { return false }
    let scale = 1 / square.squareRoot()
    for j in 0..<columns { row[j] = Scalar(Double(row[j]) * scale) }
    return true
  }

  /// The same, where the sum of squares is known; it is taken anew where it is near the end of its precision's range.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func normalizeRow(_ i: Int, square: Double) -> Bool {
    guard square > 1e-20, square < 1e30 else { return normalizeRow(i) }
    let row = storage.base + i * stride
    let scale = Scalar(1 / square.squareRoot())
    for j in 0..<columns { row[j] *= scale }
    return true
  }

  /// The largest |a_ij − δ_ij| of a square matrix; infinite where there is a NaN.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func distanceFromIdentity() -> Double {
    var largest = 0.0
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns {
        let distance = abs(Double(row[j]) - (i == j ? 1 : 0))
        if !(distance <= largest) { largest = distance.isNaN ? .infinity : distance }
      }
    }
    return largest
  }

  /// self = L⁻¹, lower triangular, where LLᵀ = A + shift · I for A (r,r) with ones on its diagonal. A pivot below the shift
  /// is lifted to it, so that dependent rows come out short instead of failing. Cost 2/3 r³ operations.
  mutating func setToInverseFactor(of a: borrowing Matrix, shift: Double) {
    demand(rows == a.rows && columns == a.rows && a.columns == a.rows, "expected square matrices of one order")
    check(Scalar._kernels.inverseFactor(storage.base, stride, a.storage.base, a.stride, rows, shift))
  }

  /// Adds the sum of squares of each column to `sums`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addSquares(to sums: inout [Double]) {
    demand(sums.count == columns, "expected \(columns) sums")
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { sums[j] += Double(row[j]) * Double(row[j]) }
    }
  }
}
