import CKernels
import FisherKitTestSupport
import Testing

/// One call of the weighted Gram of a layer: its arguments, its result, and what the result should be.
struct GramBatch<T: KernelPrecision> {
  var n: Int
  var d: Int
  var m: Int
  var alpha = 1.0
  var beta = 0.0
  var threads: Int32 = 1
  var layout = GuardedMatrix<T>.Layout.packed
  var seed: UInt64 = 4

  var blocks: BatchMinor { BatchMinor(d: d, count: m, precision: T.precision) }
  var place: String { "n \(n) d \(d) m \(m) alpha \(alpha) beta \(beta) threads \(threads) \(layout)" }

  struct Result {
    let storage: [Double]
    let x: [Double]
    let nu: [Double]
    /// The blocks before the call, when beta made them matter.
    let before: [[Double]]
  }

  func run() -> Result {
    var random = SplitMix64(seed: seed)
    let x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: layout)
    let nu = GuardedMatrix<T>(random.uniform(n * m, in: 0...1), rows: n, columns: m, layout: layout)
    let before = beta == 0 ? [] : (0..<m).map { _ in T.precision.round(random.positiveDefinite(d: d)) }
    // without a beta it holds NaNs, which must not matter
    let g = GuardedMatrix<T>(
      beta == 0 ? nil : blocks.pack(before), rows: 1, columns: blocks.elementCount, layout: layout)
    let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, threads))
    let status = T.kernels.gramWeightedBatch(
      g.pointer, x.pointer, x.leadingDimension, nu.pointer, nu.leadingDimension, n, d, m, alpha, beta, work.pointer,
      work.size, threads)
    expect(status, T.self, place)
    expectIntact([x, nu, g], place)
    expect(work.isIntact, T.self, "\(place): written past the work space")
    return Result(storage: g.elements, x: x.elements, nu: nu.elements, before: before)
  }

  /// Runs, and compares all neurons, or the given ones, with the reference.
  func check(neurons: [Int]? = nil) {
    let result = run()
    let neurons = neurons ?? Array(0..<m)
    let expected = Reference.weightedGram(
      x: result.x, nu: result.nu, n: n, d: d, m: m, neurons: neurons, alpha: alpha)
    for (neuron, sum) in zip(neurons, expected) {
      let block = beta == 0 ? sum : zip(result.before[neuron], sum).map { beta * $0 + $1 }
      let comparison = Comparison.normwise(
        blocks.symmetric(neuron, of: result.storage), block, scale: Reference.maximumNorm(sum),
        tolerance: Tolerance.gram.relative(T.precision, terms: n))
      expect(comparison, T.self, "\(place) neuron \(neuron)")
    }
    for padding in m..<blocks.paddedCount {
      let block = blocks.symmetric(padding, of: result.storage)
      expect(block.allSatisfy { $0 == 0 }, T.self, "\(place): padding block \(padding) is not zero")
    }
  }
}
