/// What copies rows from matrix to matrix, and what sets them to a number.
extension Matrix {
  /// Takes the shape and the elements of `other`, which has as many columns and fits.
  public mutating func copy(from other: borrowing Matrix) {
    demand(columns == other.columns, "expected \(columns) columns, found \(other.columns)")
    resize(rows: other.rows)
    if stride == other.stride { return storage.base.update(from: other.storage.base, count: inUse) }
    for row in 0..<rows { copyRow(row, from: other) }
  }

  /// Takes the elements of `other`, which has the same shape and may be of another precision, to which they are rounded.
  @_specialize(where Scalar == Float, Other == Double)
  @_specialize(where Scalar == Double, Other == Float)
  public mutating func copy<Other: KernelScalar>(converting other: borrowing Matrix<Other>) {
    demand(rows == other.rows && columns == other.columns, "expected \(shape), found \(other.shape)")
    for i in 0..<rows {
      let (row, from) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<columns { row[j] = Scalar(from[j]) }
    }
  }

  /// Takes the memory of a matrix of the same shape, which takes its.
  mutating func exchangeStorage(with other: inout Matrix) {
    demand(capacity == other.capacity && columns == other.columns, "expected \(shape), found \(other.shape)")
    swap(&self, &other)
  }

  /// Appends the rows of `other`, or the first `count` of them, behind the rows in use. `other` has as many columns, and
  /// `capacity` has room for them.
  public mutating func append(_ other: borrowing Matrix, first count: Int? = nil) {
    let count = count ?? other.rows
    demand(
      columns == other.columns && count >= 0 && count <= other.rows && rows + count <= capacity,
      "\(count) rows of \(other.shape) do not fit behind \(shape) in a matrix made for \(capacity) rows")
    if stride == other.stride {
      (storage.base + inUse).update(from: other.storage.base, count: count * stride)
      resize(rows: rows + count)
    } else {
      for row in 0..<count { append(row: row, of: other) }
    }
  }

  /// Appends a row of `other` behind the rows in use, with a 1 at its end where it is one shorter than they are.
  mutating func append(row: Int, of other: borrowing Matrix) {
    let isShort = other.columns == columns - 1
    demand(isShort || other.columns == columns, "expected rows of \(columns) elements, found \(other.columns)")
    demand(other.contains(row: row) && rows < capacity, "row \(row) of \(other.shape) does not fit behind \(shape)")
    let end = storage.base + inUse
    end.update(from: other.storage.base + row * other.stride, count: other.columns)
    if isShort { end[columns - 1] = 1 }
    resize(rows: rows + 1)
  }

  /// Row `target` = row `source` of another matrix of the same width.
  mutating func copyRow(_ source: Int, of other: borrowing Matrix, to target: Int) {
    demand(
      contains(row: target) && other.contains(row: source) && columns == other.columns,
      "row \(target) is outside of \(shape), or \(source) of \(other.shape), or they are of different width")
    (storage.base + target * stride).update(from: other.storage.base + source * other.stride, count: columns)
  }

  /// Takes row `source` for row `target`.
  mutating func copyRow(_ source: Int, to target: Int) {
    demand(contains(row: source) && contains(row: target), "row \(source) or \(target) is outside of \(shape)")
    (storage.base + target * stride).update(from: storage.base + source * stride, count: columns)
  }

  /// Takes a row of `other`, which is as wide.
  public mutating func copyRow(_ row: Int, from other: borrowing Matrix) {
    demand(
      contains(row: row) && other.contains(row: row) && columns == other.columns,
      "row \(row) is outside of \(shape) or of \(other.shape), or they are of different width")
    (storage.base + row * stride).update(from: other.storage.base + row * other.stride, count: columns)
  }

  /// Sets column `column` of every row that the matrix has room for, those beyond the rows in use too: a bias column is
  /// set once, whatever the size of mini-batches.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func fill(column: Int, with value: Scalar) {
    demand(column >= 0 && column < columns, "column \(column) is outside of \(shape)")
    for row in 0..<capacity { storage.base[row * stride + column] = value }
  }

  /// Sets every element of the rows in use.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func fill(with value: Scalar) {
    for row in 0..<rows { (storage.base + row * stride).update(repeating: value, count: columns) }
  }

  /// Zeros in all rows in use.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public mutating func setToZero() { storage.base.update(repeating: 0, count: inUse) }
}
