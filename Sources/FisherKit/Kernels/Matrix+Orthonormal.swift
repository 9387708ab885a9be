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
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func setToInverseFactor(of a: borrowing Matrix, shift: Double) {
    precondition(rows == a.rows && columns == a.rows && a.columns == a.rows, "expected square matrices of one order")
    let r = rows
    // L, row by row, into the lower triangle; 1/l_ii on the diagonal
    for i in 0..<r {
      let (row, from) = (storage.base + i * stride, a.storage.base + i * a.stride)
      for j in 0...i {
        let other = storage.base + j * stride
        var sum = Double(from[j])
        for k in 0..<j { sum -= Double(row[k]) * Double(other[k]) }
        if j < i {
          row[j] = Scalar(sum * Double(other[j]))
        } else {
          row[i] = Scalar(1 / max(sum + shift, shift).squareRoot())
        }
      }
      for j in (i + 1)..<max(r, i + 1) { row[j] = 0 }
    }
    // L⁻¹ in place, columns from the last: x_ij = −(1/l_ii) Σ_{j≤k<i} l_ik x_kj
    for i in 0..<r {
      let row = storage.base + i * stride
      let inverse = Double(row[i])
      for j in 0..<i {
        var sum = 0.0
        for k in j..<i { sum += Double(row[k]) * Double(storage.base[k * stride + j]) }
        // (row i of L is still needed for larger j only from column j + 1 on)
        row[j] = Scalar(-sum * inverse)
      }
    }
  }

  /// Adds the sum of squares of each column to `sums`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addSquares(to sums: inout [Double]) {
    precondition(sums.count == columns, "expected \(columns) sums")
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { sums[j] += Double(row[j]) * Double(row[j]) }
    }
  }
}
