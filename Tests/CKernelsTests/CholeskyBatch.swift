import CKernels
import FisherKitTestSupport
import Testing

/// One call of the batched damped Cholesky factorisation, and what came of it.
struct CholeskyBatch<T: KernelPrecision> {
  let d: Int
  /// The blocks as the precision holds them, full and symmetric.
  let blocks: [[Double]]
  let damping: Double
  let scale: Double
  let threads: Int32
  let storage: GuardedMatrix<T>
  let status: fk_status
  private(set) var info: [Int]
  private(set) var failure = fk_failure(block: -7, pivot: -7, failed_blocks: -7, value: -7)

  var batch: BatchMinor { BatchMinor(d: d, count: blocks.count, precision: T.precision) }
  var place: String { "d \(d) m \(blocks.count) scale \(scale) damping \(damping) threads \(threads)" }

  init(
    _ blocks: [[Double]], d: Int, scale: Double = 1, damping: Double, threads: Int32 = 1,
    layout: GuardedMatrix<T>.Layout = .packed
  ) {
    self.d = d
    self.blocks = blocks.map { T.precision.round($0) }
    self.damping = damping
    self.scale = scale
    self.threads = threads
    let batch = BatchMinor(d: d, count: blocks.count, precision: T.precision)
    storage = GuardedMatrix<T>(batch.pack(blocks), rows: 1, columns: batch.elementCount, layout: layout)
    info = [Int](repeating: -7, count: blocks.count)
    status = T.kernels.choleskyBatch(storage.pointer, &info, &failure, d, blocks.count, scale, damping, threads)
    expectIntact([storage], place)
  }

  /// What block b's factor is the factor of.
  func factored(_ b: Int) -> [Double] {
    Reference.damped(blocks[b].map { scale * $0 }, d: d, damping: damping)
  }

  /// Each block's L L^T is the damped block, to rounding: a backward error, so that its condition does not matter.
  func checkFactors(_ which: [Int]? = nil) {
    let elements = storage.elements
    for b in which ?? Array(blocks.indices) {
      let l = batch.factor(b, of: elements)
      let comparison = Comparison.normwise(
        Reference.reconstruct(l, d: d), factored(b),
        tolerance: Tolerance.factor.relative(T.precision, terms: d))
      expect(comparison, T.self, "\(place) block \(b)")
      expect((0..<d).allSatisfy { l[$0 * d + $0] > 0 }, T.self, "\(place) block \(b): a diagonal is not positive")
    }
  }

  func checkSucceeded() {
    expect(status, T.self, place)
    expect(info.allSatisfy { $0 == 0 }, T.self, "\(place): info \(info)")
    checkFactors()
  }

  /// The blocks of `expected` failed at these pivots, and no others.
  func checkFailed(_ expected: [Int: Int]) {
    expect(status, is: FK_NOT_POSITIVE_DEFINITE, T.self, place)
    expect(info == blocks.indices.map { expected[$0].map { $0 + 1 } ?? 0 }, T.self, "\(place): info \(info)")
    let lowest = expected.keys.min() ?? -1
    expect(
      failure.block == lowest && failure.pivot == expected[lowest] && failure.failed_blocks == expected.count, T.self,
      "\(place): failure \(failure), expected \(expected)")
    expect(!(failure.value > 0 && failure.value.isFinite), T.self, "\(place): failing pivot \(failure.value)")
    checkFactors(blocks.indices.filter { expected[$0] == nil })
  }

  /// D = the rows (L L^T)^-1 v of the factored batch.
  func solve(_ v: [Double], layout: GuardedMatrix<T>.Layout = .packed, inPlace: Bool = false) -> [Double] {
    let m = blocks.count
    let right = GuardedMatrix<T>(v, rows: m, columns: d, layout: layout)
    let solution = inPlace ? right : GuardedMatrix<T>(rows: m, columns: d, layout: layout)
    let work = WorkSpace(T.kernels.choleskyBatchSolveWorkSize(d, m, threads))
    let status = T.kernels.choleskyBatchSolve(
      solution.pointer, solution.leadingDimension, storage.pointer, right.pointer, right.leadingDimension, d, m,
      work.pointer, work.size, threads)
    expect(status, T.self, "solve \(place)")
    expectIntact([solution, right, storage], "solve \(place)")
    expect(work.isIntact, T.self, "solve \(place): written past the work space")
    if !inPlace {
      expect(right.elements == T.precision.round(v), T.self, "solve \(place): the right-hand sides were written")
    }
    return solution.elements
  }
}
