/// The index arithmetic of batch-minor storage, as the header of the kernels defines it: `count` blocks of order `d`,
/// packed lower triangles, in groups of `lanes` blocks whose equal elements lie side by side.
public struct BatchMinor: Sendable {
  public let d: Int
  public let count: Int
  public let lanes: Int

  public init(d: Int, count: Int, precision: Reference.Precision) {
    self.d = d
    self.count = count
    lanes = precision.lanes
  }

  public var triangle: Int { d * (d + 1) / 2 }

  /// Blocks including those that fill up the last group.
  public var paddedCount: Int { (count + lanes - 1) / lanes * lanes }

  public var elementCount: Int { triangle * paddedCount }

  /// Where element (i,j), j <= i, of block b is.
  public func index(block b: Int, _ i: Int, _ j: Int) -> Int {
    (b / lanes) * triangle * lanes + (i * (i + 1) / 2 + j) * lanes + b % lanes
  }

  /// The storage of full (d,d) blocks, of which the lower triangles are taken; the padding is zero.
  public func pack(_ blocks: [[Double]]) -> [Double] {
    precondition(blocks.count == count && blocks.allSatisfy { $0.count == d * d })
    var storage = [Double](repeating: 0, count: elementCount)
    for (b, block) in blocks.enumerated() {
      for i in 0..<d {
        for j in 0...i { storage[index(block: b, i, j)] = block[i * d + j] }
      }
    }
    return storage
  }

  /// Block b as a full symmetric (d,d) matrix.
  public func symmetric(_ b: Int, of storage: [Double]) -> [Double] { unpack(b, storage, mirrored: true) }

  /// Block b as a lower triangular (d,d) matrix, the rest zero.
  public func lower(_ b: Int, of storage: [Double]) -> [Double] { unpack(b, storage, mirrored: false) }

  /// Block b of a factored batch as the lower triangular L: the storage has the reciprocals of its diagonal.
  public func factor(_ b: Int, of storage: [Double]) -> [Double] {
    var l = lower(b, of: storage)
    for j in 0..<d { l[j * d + j] = 1 / l[j * d + j] }
    return l
  }

  private func unpack(_ b: Int, _ storage: [Double], mirrored: Bool) -> [Double] {
    precondition(b < paddedCount && storage.count == elementCount)
    var block = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0...i {
        let element = storage[index(block: b, i, j)]
        if mirrored { block[j * d + i] = element }
        block[i * d + j] = element
      }
    }
    return block
  }
}
