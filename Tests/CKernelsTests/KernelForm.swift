import CKernels
import FisherKitTestSupport
import Testing

/// One factorisation in the kernel form, of random samples and weights, and solves with it.
struct KernelForm<T: KernelPrecision> {
  let n: Int
  let d: Int
  let m: Int
  let damping: Double
  let threads: Int32
  let layout: GuardedMatrix<T>.Layout
  let x: GuardedMatrix<T>
  let nu: GuardedMatrix<T>
  let factors: GuardedMatrix<T>
  let status: fk_status
  private(set) var info: [Int]
  private(set) var failure = fk_failure(block: -7, pivot: -7, failed_blocks: -7, value: -7)

  var place: String { "n \(n) d \(d) m \(m) damping \(damping) threads \(threads) \(layout)" }

  init(
    x: [Double], nu: [Double], n: Int, d: Int, m: Int, damping: Double, threads: Int32 = 1,
    layout: GuardedMatrix<T>.Layout = .packed
  ) {
    (self.n, self.d, self.m, self.damping, self.threads, self.layout) = (n, d, m, damping, threads, layout)
    self.x = GuardedMatrix<T>(x, rows: n, columns: d, layout: layout)
    self.nu = GuardedMatrix<T>(nu, rows: n, columns: m, layout: layout)
    factors = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(n, m), layout: layout)
    info = [Int](repeating: -7, count: m)
    let work = WorkSpace(T.kernels.kernelBatchFactorWorkSize(n, m))
    status = T.kernels.kernelBatchFactor(
      factors.pointer, &info, &failure, self.x.pointer, self.x.leadingDimension, self.nu.pointer,
      self.nu.leadingDimension, n, d, m, damping, work.pointer, work.size, threads)
    expectIntact([self.x, self.nu, factors], "factors \(place)")
    expect(work.isIntact, T.self, "factors \(place): written past the work space")
  }

  /// With normal inputs and nu in `range`.
  init(
    n: Int, d: Int, m: Int, damping: Double, nu range: ClosedRange<Double> = 0...1, threads: Int32 = 1,
    layout: GuardedMatrix<T>.Layout = .packed
  ) {
    var random = SplitMix64(seed: 61)
    self.init(
      x: random.samples(n: n, d: d), nu: random.uniform(n * m, in: range), n: n, d: d, m: m, damping: damping,
      threads: threads, layout: layout)
  }

  func solve(_ v: [Double], refinements: Int32 = 0, inPlace: Bool = false) -> [Double] {
    let place = "solve \(place) refinements \(refinements)"
    let right = GuardedMatrix<T>(v, rows: m, columns: d, layout: layout)
    let solution = inPlace ? right : GuardedMatrix<T>(rows: m, columns: d, layout: layout)
    let work = WorkSpace(T.kernels.kernelBatchSolveWorkSize(n, m, refinements))
    let status = T.kernels.kernelBatchSolve(
      solution.pointer, solution.leadingDimension, factors.pointer, x.pointer, x.leadingDimension, nu.pointer,
      nu.leadingDimension, right.pointer, right.leadingDimension, n, d, m, damping, refinements, work.pointer,
      work.size, threads)
    expect(status, T.self, place)
    expectIntact([x, nu, factors, right, solution], place)
    expect(work.isIntact, T.self, "\(place): written past the work space")
    if !inPlace { expect(right.elements == T.precision.round(v), T.self, "\(place): the vectors were written") }
    return solution.elements
  }

  /// The damped (d,d) matrices themselves, in double precision from what the kernel was given.
  func dampedBlocks() -> [[Double]] {
    Reference.weightedGram(x: x.elements, nu: nu.elements, n: n, d: d, m: m, alpha: n > 0 ? 1 / Double(n) : 1).map {
      Reference.damped($0, d: d, damping: damping)
    }
  }

  /// The largest backward error of `solution` against the (d,d) systems.
  func backwardError(_ solution: [Double], _ v: [Double], blocks: [[Double]]) -> Double {
    blocks.enumerated().map { i, block in
      let row = i * d..<(i + 1) * d
      return Reference.backwardError(block, x: Array(solution[row]), v: T.precision.round(Array(v[row])), d: d)
    }.max() ?? 0
  }

  var tolerance: Double { Tolerance.solve.relative(T.precision, terms: max(n, d)) }
}
