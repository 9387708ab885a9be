/// Rows and elements. What is here compiles into the caller's code, so that a loop over a row's elements is as fast outside
/// of this library as in it.
extension Matrix {
  /// The elements of one row, without the padding, for a matrix that is a variable, a parameter or a part of one. Of a
  /// property of a class a span cannot be had, since anyone may change that while it is held: ``withRow(_:_:)``.
  @inlinable
  @_lifetime(borrow self)
  public func row(_ row: Int) -> Span<Scalar> {
    demand(contains(row: row), "row \(row) is outside of \(shape)")
    let span = Span(_unsafeStart: UnsafePointer(storage.base) + row * stride, count: columns)
    return _overrideLifetime(span, borrowing: self)
  }

  /// The elements of one row, to be written; of a matrix that is a property of a class, by ``withMutableRow(_:_:)``.
  @inlinable
  @_lifetime(&self)
  public mutating func mutableRow(_ row: Int) -> MutableSpan<Scalar> {
    demand(contains(row: row), "row \(row) is outside of \(shape)")
    let span = MutableSpan(_unsafeStart: storage.base + row * stride, count: columns)
    return _overrideLifetime(span, mutating: &self)
  }

  /// Calls `body` with the elements of one row. It works wherever the matrix is:
  ///
  ///     let sum = model.input.withRow(3) { row in row.indices.reduce(0) { $0 + row[$1] } }
  @inlinable
  public func withRow<R, E: Error>(_ row: Int, _ body: (Span<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(self.row(row))
  }

  /// Calls `body` with the elements of one row, to be written. It works wherever the matrix is:
  ///
  ///     model.input.withMutableRow(3) { row in for j in 0..<784 { row[j] = pixels[j] } }
  @inlinable
  public mutating func withMutableRow<R, E: Error>(
    _ row: Int, _ body: (inout MutableSpan<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    var span = mutableRow(row)
    return try body(&span)
  }

  /// Calls `body` with the first element; element (i, j) is at i · stride + j.
  @inlinable
  public func withUnsafePointer<R, E: Error>(_ body: (UnsafePointer<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(UnsafePointer(storage.base))
  }

  /// Calls `body` with the first element; element (i, j) is at i · stride + j. Leave the padding alone.
  @inlinable
  public mutating func withUnsafeMutablePointer<R, E: Error>(
    _ body: (UnsafeMutablePointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    try body(storage.base)
  }

  /// The elements as an array of rows, for tests and reports.
  public var elements: [[Scalar]] {
    (0..<rows).map { Array(UnsafeBufferPointer(start: storage.base + $0 * stride, count: columns)) }
  }
}
