/// An (n,m) matrix with a leading dimension in memory of its own, for a kernel to read or write.
///
/// All that is not the matrix (the gaps between rows, a margin before and after) holds a NaN with a payload: reading it
/// spoils a result, and writing it is found out by `paddingIsIntact`.
public final class GuardedMatrix<Scalar: ReferenceScalar> {
  public let rows: Int
  public let columns: Int
  public let leadingDimension: Int
  private let storage: UnsafeMutableBufferPointer<Scalar>
  private let start: Int

  /// How a matrix lies in memory.
  public enum Layout: CaseIterable, Sendable {
    /// On a cache line, rows without gaps.
    case packed
    /// One element past a cache line, with gaps between rows: nothing a vector could rely on.
    case strided
  }

  /// Rounds the `elements` to the scalar; without elements the matrix itself holds sentinels too.
  /// - Parameter gap: between strided rows.
  public init(_ elements: [Double]? = nil, rows: Int, columns: Int, layout: Layout = .packed, gap: Int = 3) {
    precondition(elements == nil || elements?.count == rows * columns)
    self.rows = rows
    self.columns = columns
    leadingDimension = layout == .packed ? columns : columns + gap
    let margin = 64 / MemoryLayout<Scalar>.stride
    start = layout == .packed ? margin : margin + 1
    let count = start + rows * leadingDimension + margin
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: count * MemoryLayout<Scalar>.stride, alignment: 64)
    storage = bytes.bindMemory(to: Scalar.self)
    storage.initialize(repeating: Scalar.sentinel)
    if let elements { assign(elements) }
  }

  deinit { UnsafeMutableRawBufferPointer(storage).deallocate() }

  public var pointer: UnsafeMutablePointer<Scalar> { storage.baseAddress! + start }

  public func assign(_ elements: [Double]) {
    for row in 0..<rows {
      Scalar.narrow(elements[row * columns..<(row + 1) * columns], to: pointer + row * leadingDimension)
    }
  }

  /// The matrix, row-major and without gaps.
  public var elements: [Double] {
    var result: [Double] = []
    result.reserveCapacity(rows * columns)
    for row in 0..<rows {
      result += Scalar.widen(UnsafeBufferPointer(start: pointer + row * leadingDimension, count: columns))
    }
    return result
  }

  public var paddingIsIntact: Bool {
    func isIntact(_ range: Range<Int>) -> Bool { range.allSatisfy { Scalar.isSentinel(storage[$0]) } }
    guard isIntact(0..<start), isIntact(start + rows * leadingDimension..<storage.count) else { return false }
    if leadingDimension == columns { return true }
    return (0..<rows).allSatisfy { row in
      isIntact(start + row * leadingDimension + columns..<start + (row + 1) * leadingDimension)
    }
  }
}
