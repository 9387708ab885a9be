/// m symmetric d×d blocks, or their Cholesky factors, as packed lower triangles with the neuron index innermost.
///
/// Blocks stand in groups of L lanes, one cache line (16 `Float`, 8 `Double`): element (i, j), j ≤ i, of block b is at
///
///     (b / L) · d(d+1)/2 · L + (i(i+1)/2 + j) · L + b mod L
///
/// so one vector holds the same element of L neurons, and L factorisations run at once without shuffles. It takes
/// about half the memory of m full matrices.
public struct BlockBatch<Scalar: KernelScalar>: ~Copyable, Sendable {
  /// The number of blocks m.
  public let count: Int
  /// The order d of each block.
  public let order: Int
  @usableFromInline let storage: AlignedBuffer<Scalar>

  /// m blocks of zeros.
  /// - Throws: `sizeOverflow` or `outOfMemory`, before anything is allocated.
  public init(count: Int, order: Int, what: @autoclosure () -> String = "blocks") throws(FisherError) {
    demand(count >= 0 && order >= 0, "blocks have no negative size")
    let storage = try AlignedBuffer<Scalar>(
      count: Self.elements(count: count, order: order, what: what()), what: what())
    self.count = count
    self.order = order
    self.storage = storage
  }

  /// The bytes that m blocks of order d take.
  public static func bytes(count: Int, order: Int) throws(FisherError) -> Int {
    try AlignedBuffer<Scalar>.bytes(count: elements(count: count, order: order, what: "blocks"), what: "blocks")
  }

  public var bytes: Int { storage.count * MemoryLayout<Scalar>.stride }

  /// L, what fills a cache line.
  @inlinable static var lanes: Int { AlignedBuffer<Scalar>.alignment / MemoryLayout<Scalar>.stride }

  /// Element (i, j) of a block; the two triangles are the same element.
  @inlinable
  public subscript(block: Int, i: Int, j: Int) -> Scalar {
    get { storage.base[offset(block, i, j)] }
    set { storage.base[offset(block, i, j)] = newValue }
  }

  @inlinable
  func offset(_ block: Int, _ i: Int, _ j: Int) -> Int {
    demand(
      block >= 0 && block < count && min(i, j) >= 0 && max(i, j) < order,
      "(\(i), \(j)) of block \(block) is outside of \(count) blocks of order \(order)")
    let (row, column) = (max(i, j), min(i, j))
    let lanes = Self.lanes
    return (block / lanes * (order * (order + 1) / 2) + row * (row + 1) / 2 + column) * lanes + block % lanes
  }

  /// Takes the elements of `other`, which has the same shape.
  public mutating func copy(from other: borrowing BlockBatch) {
    demand(count == other.count && order == other.order, "blocks of another shape")
    storage.base.update(from: other.storage.base, count: storage.count)
  }
}
