/// A row-major matrix that owns its memory: 64-byte aligned, rows padded with zeros to whole cache lines.
///
/// The number of rows may shrink and grow again within `capacity` without allocating, so one matrix serves batches of
/// different sizes.
public struct Matrix<Scalar: KernelScalar>: ~Copyable, Sendable {
  /// Rows in use, at most `capacity`.
  public private(set) var rows: Int
  public let capacity: Int
  public let columns: Int
  /// Elements from the start of a row to the start of the next, `columns` and the padding.
  public let stride: Int
  @usableFromInline let storage: AlignedBuffer<Scalar>

  /// A matrix of zeros.
  /// - Throws: `sizeOverflow` or `outOfMemory`, before anything is allocated.
  public init(rows: Int, columns: Int, what: @autoclosure () -> String = "matrix") throws(FisherError) {
    demand(rows >= 0 && columns >= 0, "a matrix has no negative size")
    let (stride, count) = try Self.layout(rows: rows, columns: columns, what: what())
    let storage = try AlignedBuffer<Scalar>(count: count, what: what())
    self.rows = rows
    self.capacity = rows
    self.columns = columns
    self.stride = stride
    self.storage = storage
  }

  /// A view of the rows in use of another matrix, which outlives it and is not changed meanwhile.
  init(viewing other: borrowing Matrix) {
    (rows, capacity, columns, stride) = (other.rows, other.rows, other.columns, other.stride)
    storage = AlignedBuffer(viewing: other.storage.base, count: other.inUse)
  }

  /// A view of some of the rows in use of another matrix, which outlives it and is not changed meanwhile.
  init(viewing other: borrowing Matrix, rows range: Range<Int>) {
    demand(range.lowerBound >= 0 && range.upperBound <= other.rows, "rows \(range) are outside of \(other.shape)")
    (rows, capacity, columns, stride) = (range.count, range.count, other.columns, other.stride)
    storage = AlignedBuffer(
      viewing: other.storage.base + range.lowerBound * other.stride, count: range.count * other.stride)
  }

  /// A view of rows without padding that somebody else owns, who outlives it and does not change them meanwhile.
  init(viewing base: UnsafePointer<Scalar>, rows: Int, columns: Int) {
    (self.rows, capacity, self.columns, stride) = (rows, rows, columns, columns)
    storage = AlignedBuffer(viewing: UnsafeMutablePointer(mutating: base), count: rows * columns)
  }

  /// The bytes that a matrix of this shape takes.
  public static func bytes(rows: Int, columns: Int) throws(FisherError) -> Int {
    try AlignedBuffer<Scalar>.bytes(count: layout(rows: rows, columns: columns, what: "matrix").count, what: "matrix")
  }

  /// The bytes that this matrix takes, padding included.
  public var bytes: Int { storage.count * MemoryLayout<Scalar>.stride }

  private static func layout(
    rows: Int, columns: Int, what: @autoclosure () -> String
  ) throws(FisherError) -> (stride: Int, count: Int) {
    let line = AlignedBuffer<Scalar>.alignment / MemoryLayout<Scalar>.stride
    guard columns <= Int.max / MemoryLayout<Scalar>.stride - 2 * line else { throw .sizeOverflow(what: what()) }
    var stride = (columns + line - 1) / line * line
    // Rows a whole page apart would all fall into the same cache set.
    if stride > 0, stride * MemoryLayout<Scalar>.stride % 4096 == 0 { stride += line }
    let (count, overflow) = rows.multipliedReportingOverflow(by: stride)
    guard !overflow else { throw .sizeOverflow(what: what()) }
    return (stride, count)
  }

  /// Uses the first `rows` rows. Rows that come back into use hold what they held.
  public mutating func resize(rows: Int) {
    demand(rows >= 0 && rows <= capacity, "\(rows) rows do not fit a matrix made for \(capacity)")
    self.rows = rows
  }

  /// Element (row, column) of the rows in use. Loops over many elements are faster by ``row(_:)`` and ``mutableRow(_:)``,
  /// which check the row once.
  @inlinable
  public subscript(row: Int, column: Int) -> Scalar {
    get {
      demand(contains(row: row) && column >= 0 && column < columns, "(\(row), \(column)) is outside of \(shape)")
      return storage.base[row * stride + column]
    }
    set {
      demand(contains(row: row) && column >= 0 && column < columns, "(\(row), \(column)) is outside of \(shape)")
      storage.base[row * stride + column] = newValue
    }
  }

  @inlinable @inline(__always)
  func contains(row: Int) -> Bool { row >= 0 && row < rows }

  /// For messages: "50×785".
  @usableFromInline var shape: String { "\(rows)×\(columns)" }

  /// All of the storage in use, the zero padding included.
  var inUse: Int { rows * stride }
}
