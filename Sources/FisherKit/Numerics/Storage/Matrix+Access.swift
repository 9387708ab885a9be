extension Matrix {
  /// The elements of one row, without the padding.
  @_lifetime(borrow self)
  public func row(_ row: Int) -> Span<Scalar> {
    demand(row >= 0 && row < rows, "outside the matrix")
    let span = Span(_unsafeStart: UnsafePointer(storage.base) + row * stride, count: columns)
    return _overrideLifetime(span, borrowing: self)
  }

  /// The elements of one row, to be written.
  @_lifetime(&self)
  public mutating func mutableRow(_ row: Int) -> MutableSpan<Scalar> {
    demand(row >= 0 && row < rows, "outside the matrix")
    let span = MutableSpan(_unsafeStart: storage.base + row * stride, count: columns)
    return _overrideLifetime(span, mutating: &self)
  }

  /// Calls `body` with the first element; element (i, j) is at i · stride + j.
  public func withUnsafePointer<R, E: Error>(_ body: (UnsafePointer<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(UnsafePointer(storage.base))
  }

  /// Calls `body` with the first element; element (i, j) is at i · stride + j. Leave the padding alone.
  public mutating func withUnsafeMutablePointer<R, E: Error>(
    _ body: (UnsafeMutablePointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    try body(storage.base)
  }

  /// The elements as an array of rows, for tests and reports.
  public var elements: [[Scalar]] {
    (0..<rows).map { i in (0..<columns).map { self[i, $0] } }
  }

  /// Copies rows of the same width from an array of rows, and takes their number.
  public mutating func assign(_ elements: [[Scalar]]) {
    resize(rows: elements.count)
    for (i, row) in elements.enumerated() {
      demand(row.count == columns, "row \(i) has \(row.count) elements, expected \(columns)")
      for (j, element) in row.enumerated() { self[i, j] = element }
    }
  }

  /// Takes the shape and the elements of `other`, which has as many columns and fits.
  public mutating func copy(from other: borrowing Matrix) {
    demand(columns == other.columns, "expected \(columns) columns, found \(other.columns)")
    resize(rows: other.rows)
    if stride == other.stride { return storage.base.update(from: other.storage.base, count: inUse) }
    for row in 0..<rows { copyRow(row, from: other) }
  }

  /// Appends a row of `other` behind the rows in use, with a 1 at its end where it is one shorter than they are.
  mutating func append(row: Int, of other: borrowing Matrix) {
    let isShort = other.columns == columns - 1
    demand(isShort || other.columns == columns, "expected rows of \(columns) elements, found \(other.columns)")
    demand(row >= 0 && row < other.rows && rows < capacity, "the row does not fit")
    let end = storage.base + inUse
    end.update(from: other.storage.base + row * other.stride, count: other.columns)
    if isShort { end[columns - 1] = 1 }
    resize(rows: rows + 1)
  }

  /// Takes row `source` for row `target`.
  mutating func copyRow(_ source: Int, to target: Int) {
    demand(source >= 0 && source < rows && target >= 0 && target < rows, "outside the matrix")
    (storage.base + target * stride).update(from: storage.base + source * stride, count: columns)
  }

  /// Takes a row of `other`, which is as wide.
  mutating func copyRow(_ row: Int, from other: borrowing Matrix) {
    demand(row >= 0 && row < rows && row < other.rows && columns == other.columns, "outside the matrix")
    (storage.base + row * stride).update(from: other.storage.base + row * other.stride, count: columns)
  }

  /// Sets column `column` of every row that the matrix has room for.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func fill(column: Int, with value: Scalar) {
    demand(column >= 0 && column < columns, "outside the matrix")
    for row in 0..<capacity { storage.base[row * stride + column] = value }
  }

  /// Sets every element of the rows in use.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func fill(with value: Scalar) {
    for row in 0..<rows { (storage.base + row * stride).update(repeating: value, count: columns) }
  }
}
