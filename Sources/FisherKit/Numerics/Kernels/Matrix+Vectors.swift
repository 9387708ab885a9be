internal import CKernels

/// Rows and columns of a tile that is transposed.
private let transposedTile = 32

/// Matrices as vectors of numbers. The padding of rows is zero, and takes part in all of these.
///
/// Loops are compiled for both precisions (`_specialize`, which Swift 6.2 knows as well): unspecialised generic arithmetic
/// is a hundred times slower.
extension Matrix {
  /// Ends the process where `other` has another shape.
  @inline(__always)
  func demandShape(of other: borrowing Matrix) {
    demand(rows == other.rows && columns == other.columns, "expected \(shape), found \(other.shape)")
  }

  /// Σ a_ij b_ij of two matrices of one shape, summed in double precision (BLAS dsdot). Cost 2nm flops.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func dot(_ other: borrowing Matrix) -> Double {
    demandShape(of: other)
    var sum = 0.0
    for i in 0..<inUse { sum += Double(storage.base[i]) * Double(other.storage.base[i]) }
    return sum
  }

  /// The sum of the diagonal, in double precision.
  public var trace: Double {
    var sum = 0.0
    for i in 0..<min(rows, columns) { sum += Double(self[i, i]) }
    return sum
  }

  /// self += factor · other, of the same shape (BLAS axpy). Cost 2nm flops.
  public mutating func add(_ other: borrowing Matrix, times factor: Double = 1) { combine(1, factor, other) }

  /// self *= factor (BLAS scal). What is not finite stays so, times 0 too: see ``setToZero()``. Cost nm flops.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func scale(by factor: Double) {
    let (elements, factor) = (storage.base, Scalar(factor))
    for i in 0..<inUse { elements[i] *= factor }
  }

  /// self = scale · self + factor · other.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func combine(_ scale: Double, _ factor: Double, _ other: borrowing Matrix) {
    demandShape(of: other)
    let (scale, factor) = (Scalar(scale), Scalar(factor))
    for i in 0..<inUse { storage.base[i] = scale * storage.base[i] + factor * other.storage.base[i] }
  }

  /// Row i *= factor.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func scale(row i: Int, by factor: Double) {
    demand(i >= 0 && i < rows, "outside the matrix")
    let (row, factor) = (storage.base + i * stride, Scalar(factor))
    for j in 0..<columns { row[j] *= factor }
  }

  /// Column j += factor · column j of other, of the same shape.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func add(column j: Int, of other: borrowing Matrix, times factor: Double) {
    demandShape(of: other)
    demand(j >= 0 && j < columns, "outside the matrix")
    let (elements, from, factor) = (storage.base, other.storage.base, Scalar(factor))
    for i in 0..<rows { elements[i * stride + j] += factor * from[i * stride + j] }
  }

  /// Column j *= factor.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func scale(column j: Int, by factor: Double) {
    demand(j >= 0 && j < columns, "outside the matrix")
    let (elements, factor) = (storage.base, Scalar(factor))
    for i in 0..<rows { elements[i * stride + j] *= factor }
  }

  /// self += other, in the first `count` columns.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func add(_ other: borrowing Matrix, columns count: Int) {
    demand(rows == other.rows && count <= columns && count <= other.columns, "matrices of another shape")
    for i in 0..<rows {
      let (row, from) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<count { row[j] += from[j] }
    }
  }

  /// Takes some columns of other, from column `first` of self on.
  mutating func copyColumns(_ range: Range<Int>, of other: borrowing Matrix, to first: Int) {
    demand(
      rows == other.rows && range.lowerBound >= 0 && range.upperBound <= other.columns && first >= 0
        && first + range.count <= columns, "matrices of another shape")
    for i in 0..<rows {
      (storage.base + i * stride + first).update(
        from: other.storage.base + i * other.stride + range.lowerBound, count: range.count)
    }
  }

  /// Row i −= scales[i] · row i of other.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func subtract(_ other: borrowing Matrix, scaled scales: [Double]) {
    demandShape(of: other)
    demand(scales.count == rows, "expected \(rows) scales, found \(scales.count)")
    for i in 0..<rows {
      let (row, from, scale) = (storage.base + i * stride, other.storage.base + i * stride, Scalar(scales[i]))
      for j in 0..<columns { row[j] -= scale * from[j] }
    }
  }

  /// Row i *= scales[i]: diag(scales) self. Cost nm flops.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func scaleRows(by scales: [Double]) {
    demand(scales.count == rows, "expected \(rows) scales, found \(scales.count)")
    for i in 0..<rows {
      let (row, scale) = (storage.base + i * stride, Scalar(scales[i]))
      for j in 0..<columns { row[j] *= scale }
    }
  }

  /// self *= other, element by element (the Hadamard product); `other` has as many rows, and as many columns or more, of
  /// which the first are taken. Cost nm flops.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func multiplyElements(_ other: borrowing Matrix) {
    demand(
      rows == other.rows && columns <= other.columns, "expected \(rows)×\(columns), found \(other.shape)")
    for i in 0..<rows {
      let (row, factor) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<columns { row[j] *= factor[j] }
    }
  }

  /// Writes a smaller matrix into this one, its element (0, 0) to (row, column).
  public mutating func place(_ block: borrowing Matrix, row: Int, column: Int) {
    demand(
      row >= 0 && column >= 0 && row + block.rows <= rows && column + block.columns <= columns,
      "\(block.shape) at (\(row), \(column)) is outside of \(shape)")
    for i in 0..<block.rows {
      (storage.base + (row + i) * stride + column).update(
        from: block.storage.base + i * block.stride, count: block.columns)
    }
  }

  /// Takes the elements of `other`, which has as many in all, row behind row.
  mutating func reshape(_ other: borrowing Matrix) {
    demand(rows * columns == other.rows * other.columns, "matrices of another size")
    var (row, column, otherRow, otherColumn) = (0, 0, 0, 0)
    while row < rows, columns > 0 {
      let run = min(columns - column, other.columns - otherColumn)
      (storage.base + row * stride + column).update(
        from: other.storage.base + otherRow * other.stride + otherColumn, count: run)
      (column, otherColumn) = (column + run, otherColumn + run)
      if column == columns { (row, column) = (row + 1, 0) }
      if otherColumn == other.columns { (otherRow, otherColumn) = (otherRow + 1, 0) }
    }
  }

  /// Takes the first columns of `other`, which has as many rows and at least as many columns: X of X̃, say.
  public mutating func copyHead(of other: borrowing Matrix) {
    demand(
      rows == other.rows && columns <= other.columns, "expected \(rows)×\(columns), found \(other.shape)")
    for i in 0..<rows {
      (storage.base + i * stride).update(from: other.storage.base + i * other.stride, count: columns)
    }
  }

  /// Probabilities η to η(1 − η).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func replaceByVariances() {
    // (by a pointer of its own: Swift 6.3 crashes on `storage.base[i] *=` of a noncopyable value under ThreadSanitizer)
    let elements = storage.base
    for i in 0..<inUse { elements[i] *= 1 - elements[i] }
  }

  /// Adds the sum of each column to `sums`, which has one for each, in double precision. Cost nm flops.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func addColumns(to sums: inout [Double]) {
    demand(sums.count == columns, "expected \(columns) sums, found \(sums.count)")
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { sums[j] += Double(row[j]) }
    }
  }

  /// Adds the sum of η(1 − η) over each column of probabilities to `sums`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addVariances(to sums: inout [Double]) {
    demand(sums.count == columns, "expected \(columns) sums")
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { sums[j] += Double(row[j]) * (1 - Double(row[j])) }
    }
  }

  /// Copies the lower triangle of a square matrix to the upper.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func symmetrize() {
    demand(rows == columns, "expected a square matrix, found \(shape)")
    let (elements, stride, n) = (storage.base, self.stride, rows)
    // (tile by tile, so that the lines that are written column by column stay in the first cache)
    for top in Swift.stride(from: 0, to: n, by: transposedTile) {
      let bottom = min(n, top + transposedTile)
      for left in Swift.stride(from: 0, through: top, by: transposedTile) {
        for i in top..<bottom {
          for j in left..<min(i, left + transposedTile) where j < i {
            elements[j * stride + i] = elements[i * stride + j]
          }
        }
      }
    }
  }

  /// self = otherᵀ.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func setToTransposed(_ other: borrowing Matrix) {
    demand(rows == other.columns && columns == other.rows, "expected \(columns)×\(rows), found \(other.shape)")
    let (elements, stride) = (storage.base, self.stride)
    let (from, otherStride) = (other.storage.base, other.stride)
    for top in Swift.stride(from: 0, to: rows, by: transposedTile) {
      for left in Swift.stride(from: 0, to: columns, by: transposedTile) {
        for j in left..<min(columns, left + transposedTile) {
          for i in top..<min(rows, top + transposedTile) { elements[i * stride + j] = from[j * otherStride + i] }
        }
      }
    }
  }

  /// The eigenvalues of this symmetric matrix, ascending. The lower triangle is read, and destroyed. Cost 4/3 d³ flops.
  ///
  /// - Throws: `nonFinite` when an element is no number, `notConverged` when LAPACK gives up.
  public mutating func symmetricEigenvalues() throws(FisherError) -> [Double] {
    demand(rows == columns, "expected a square matrix")
    guard isFinite else { throw .nonFinite(what: "matrix whose eigenvalues are asked for", step: 0) }
    let what = "eigenvalues of a matrix of order \(rows)"
    let work = try AlignedBuffer<UInt8>(
      count: try workSize(Scalar._kernels.eigenvaluesWorkSize(rows), what), what: what)
    let values = try AlignedBuffer<Scalar>(count: rows, what: what)
    let status = Scalar._kernels.eigenvalues(values.base, storage.base, stride, rows, work.base, work.count)
    if status == FK_NO_CONVERGENCE { throw .notConverged(what: what, iterations: 0, residual: .nan, tolerance: 0) }
    try check(status, what)
    return (0..<rows).map { Double(values.base[$0]) }
  }
}
