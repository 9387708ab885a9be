import FisherKit
import FisherKitTestSupport

/// Batch-minor blocks as an operand.
///
/// A layer may be too large for the reference to do all of it, so some of its neurons are checked: the first, the last,
/// and as many between them as the arithmetic allows.
struct Blocks<T: BenchScalar> {
  let d: Int
  let m: Int
  let storage: Operand<T>

  init(d: Int, m: Int) {
    self.d = d
    self.m = m
    storage = Operand(count: T._kernels.blockBatchCount(d, m))
  }

  /// The bytes of the m blocks themselves, without those that fill up the last group.
  var bytes: Double { Double(m * (d * (d + 1) / 2) * MemoryLayout<T>.stride) }

  func symmetric(_ block: Int) -> [Double] {
    group.symmetric(block % group.lanes, of: elements(ofGroupWith: block))
  }

  /// The lower triangular factor a block was overwritten with.
  func factor(_ block: Int) -> [Double] {
    group.factor(block % group.lanes, of: elements(ofGroupWith: block))
  }

  /// The neurons to check, when one costs the reference `flops`.
  func sample(flops: Double) -> [Int] {
    let affordable = max(2, Int(5e8 / flops))
    if affordable >= m { return Array(0..<m) }
    return (0..<affordable).map { $0 * (m - 1) / (affordable - 1) }
  }

  private var group: BatchMinor { BatchMinor(d: d, count: T.precision.lanes, precision: T.precision) }

  private func elements(ofGroupWith block: Int) -> [Double] {
    let start = block / group.lanes * group.elementCount
    return storage[start..<start + group.elementCount]
  }
}
