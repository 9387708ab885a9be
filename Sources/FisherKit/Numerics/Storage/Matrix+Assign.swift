/// Matrices from numbers in memory. With `bias` the last column is 1, and the numbers have one column less: what passes
/// between layers is X̃ = (X, 1). It compiles into the caller's code, so that rows are copied at the speed of memory.
extension Matrix {
  /// A matrix from an array of rows, which are all of one length:
  ///
  ///     let x = try Matrix<Float>(rows: [[0.5, 1], [2, 3]], bias: true)       // (2,3), its last column 1
  ///
  /// - Throws: `invalidArgument` where a row has another length than the first; `sizeOverflow` or `outOfMemory`.
  public init(rows: [[Scalar]], bias: Bool = false, what: @autoclosure () -> String = "matrix") throws(FisherError) {
    let width = rows.first?.count ?? 0
    for (i, row) in rows.enumerated() where row.count != width {
      throw .invalidArgument(
        what: "\(what()), row \(i)", expected: "\(width) elements like row 0", found: "\(row.count) elements")
    }
    try self.init(rows: rows.count, columns: width + (bias ? 1 : 0), what: what())
    assign(rows, bias: bias)
  }

  /// A matrix from numbers row behind row, `columns` to a row; with `bias` it is one column wider than that:
  ///
  ///     let x = try Matrix(pixels, columns: 784, bias: true)                  // (n,785)
  ///
  /// - Throws: `invalidArgument` where the numbers do not make whole rows; `sizeOverflow` or `outOfMemory`.
  public init(
    _ elements: Span<Scalar>, columns: Int, bias: Bool = false, what: @autoclosure () -> String = "matrix"
  ) throws(FisherError) {
    demand(columns >= 0, "a matrix has no negative size")
    guard columns > 0 ? elements.count % columns == 0 : elements.isEmpty else {
      throw .invalidArgument(
        what: what(), expected: "whole rows of \(columns) elements", found: "\(elements.count) elements")
    }
    // (Int.max columns have no room for one more)
    let (width, overflow) = columns.addingReportingOverflow(bias ? 1 : 0)
    guard !overflow else { throw .sizeOverflow(what: what()) }
    try self.init(rows: columns > 0 ? elements.count / columns : 0, columns: width, what: what())
    assign(elements, bias: bias)
  }

  /// The same from an array.
  public init(
    _ elements: [Scalar], columns: Int, bias: Bool = false, what: @autoclosure () -> String = "matrix"
  ) throws(FisherError) {
    try self.init(elements.span, columns: columns, bias: bias, what: what())
  }

  /// Copies an array of rows, and takes their number: all are as wide as this matrix, or with `bias` one column less.
  @inlinable
  public mutating func assign(_ rows: [[Scalar]], bias: Bool = false) {
    let width = dataWidth(bias: bias)
    resize(rows: rows.count)
    for (i, row) in rows.enumerated() {
      demand(row.count == width, "row \(i) has \(row.count) elements, expected \(width)")
      row.withUnsafeBufferPointer { fill(row: i, from: $0.baseAddress, width: width, bias: bias) }
    }
  }

  /// Copies numbers row behind row, as many to a row as this matrix has columns, or with `bias` one less; and takes the
  /// number of rows that they make.
  @inlinable
  public mutating func assign(_ elements: UnsafeBufferPointer<Scalar>, bias: Bool = false) {
    let width = dataWidth(bias: bias)
    let count = width > 0 ? elements.count / width : 0
    demand(
      count * width == elements.count, "\(elements.count) elements do not make whole rows of \(width)")
    resize(rows: count)
    for i in 0..<count {
      fill(row: i, from: elements.baseAddress.map { $0 + i * width }, width: width, bias: bias)
    }
  }

  /// The same from a span.
  @inlinable
  public mutating func assign(_ elements: Span<Scalar>, bias: Bool = false) {
    elements.withUnsafeBufferPointer { assign($0, bias: bias) }
  }

  /// The same from an array.
  @inlinable
  @_disfavoredOverload  // of `[]`, which is an array of rows as well
  public mutating func assign(_ elements: [Scalar], bias: Bool = false) {
    elements.withUnsafeBufferPointer { assign($0, bias: bias) }
  }

  /// What a row of data has of a row of this matrix.
  @inlinable
  func dataWidth(bias: Bool) -> Int {
    demand(!bias || columns > 0, "no room for the bias column")
    return columns - (bias ? 1 : 0)
  }

  @inlinable
  mutating func fill(row: Int, from source: UnsafePointer<Scalar>?, width: Int, bias: Bool) {
    let place = storage.base + row * stride
    if let source { place.update(from: source, count: width) }
    if bias { place[width] = 1 }
  }
}
