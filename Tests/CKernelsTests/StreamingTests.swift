import CKernels
import FisherKitTestSupport
import Testing

/// Samples that arrive in mini-batches give what one call with all of them gives, without a second pass over the sums.
@Suite struct StreamingTests {
  /// Mini-batches of any size, on both sides of a chunk of 128 samples.
  static let batches = [1, 7, 50, 127, 128, 129, 300, 3]

  struct Samples<T: KernelPrecision> {
    let n: Int
    let d: Int
    let m: Int
    let x: GuardedMatrix<T>
    let nu: GuardedMatrix<T>

    init(n: Int, d: Int, m: Int) {
      (self.n, self.d, self.m) = (n, d, m)
      var random = SplitMix64(seed: 54)
      x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: .strided)
      nu = GuardedMatrix<T>(random.uniform(n * m, in: 0...1), rows: n, columns: m, layout: .strided)
    }

    /// G = beta G + alpha times the sum over `rows`.
    func add(
      _ rows: Range<Int>, to g: GuardedMatrix<T>, alpha: Double, beta: Double
    ) {
      let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(rows.count, d, m, 1))
      let (x0, nu0) = (
        x.pointer + rows.lowerBound * x.leadingDimension, nu.pointer + rows.lowerBound * nu.leadingDimension
      )
      let status = T.kernels.gramWeightedBatch(
        g.pointer, x0, x.leadingDimension, nu0, nu.leadingDimension, rows.count, d, m, alpha, beta, work.pointer,
        work.size, 1)
      expect(status, T.self, "rows \(rows)")
      expect(work.isIntact, T.self, "rows \(rows): written past the work space")
      expectIntact([g, x, nu], "rows \(rows)")
    }

    func batch() -> GuardedMatrix<T> {
      GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(d, m), layout: .strided)
    }

    var blocks: BatchMinor { BatchMinor(d: d, count: m, precision: T.precision) }
  }

  @Test(arguments: Target.all) func batchesOfAnySizeAddUp(target: Target) { target.run { batchesOfAnySizeAddUp($0) } }

  func batchesOfAnySizeAddUp<T: KernelPrecision>(_ type: T.Type) {
    for (d, m) in [(1, 1), (6, 9), (21, 33)] {
      let samples = Samples<T>(n: Self.batches.reduce(0, +), d: d, m: m)
      let whole = samples.batch()
      samples.add(0..<samples.n, to: whole, alpha: 1, beta: 0)
      let streamed = samples.batch()
      var start = 0
      for size in Self.batches {
        samples.add(start..<start + size, to: streamed, alpha: 1, beta: start == 0 ? 0 : 1)
        start += size
      }
      samples.add(start..<start, to: streamed, alpha: 1, beta: 1)
      let comparison = Comparison.normwise(
        streamed.elements, whole.elements, tolerance: Tolerance.gram.relative(T.precision, terms: samples.n))
      expect(comparison, type, "d \(d) m \(m)")
    }
  }

  /// The window: Σ over an unknown number of samples, divided by it as the factorisation reads the blocks.
  @Test(arguments: Target.all) func aScaledFactorIsThatOfTheMean(target: Target) {
    target.run { aScaledFactorIsThatOfTheMean($0) }
  }

  func aScaledFactorIsThatOfTheMean<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 55)
    for d in Sizes.all + [49] {
      let blocks = (0..<17).map { _ in random.positiveDefinite(d: d).map { 700 * $0 } }
      let v = random.normal(17 * d)
      // powers of two scale without rounding
      for scale in [1.0 / 1024, 4] {
        let scaled = CholeskyBatch<T>(blocks, d: d, scale: scale, damping: 0.01)
        scaled.checkSucceeded()
        let mean = CholeskyBatch<T>(blocks.map { $0.map { scale * $0 } }, d: d, damping: 0.01)
        expectIdentical(scaled.solve(v), mean.solve(v), type, "d \(d) scale \(scale)")
      }
      CholeskyBatch<T>(blocks, d: d, scale: 1 / 700.0, damping: 0.01, layout: .strided).checkSucceeded()
    }
    CholeskyBatch<T>([[2, 0, 0, 3]], d: 2, scale: -1, damping: 0).checkFailed([0: 0])
    CholeskyBatch<T>([[2, 0, 0, -3]], d: 2, scale: 0, damping: 1).checkSucceeded()
    CholeskyBatch<T>([[2, 0, 0, 3]], d: 2, scale: 0, damping: 0).checkFailed([0: 0])
  }

  /// The exponential form G ← β G + (1 − β) mean, whose bias 1 − βᵗ is taken off by the scale.
  @Test(arguments: Target.all) func anExponentialAverageIsCorrectedByTheScale(target: Target) {
    target.run { anExponentialAverageIsCorrectedByTheScale($0) }
  }

  func anExponentialAverageIsCorrectedByTheScale<T: KernelPrecision>(_ type: T.Type) {
    let beta = 0.95
    let samples = Samples<T>(n: Self.batches.reduce(0, +), d: 6, m: 19)
    let g = samples.batch()
    let (x, nu) = (samples.x.elements, samples.nu.elements)
    var expected = (0..<19).map { _ in [Double](repeating: 0, count: 36) }
    var (start, mass) = (0, 1.0)
    for size in Self.batches {
      samples.add(
        start..<start + size, to: g, alpha: (1 - beta) / Double(size),
        beta: start == 0 ? 0 : beta)
      let batch = Reference.weightedGram(
        x: Array(x[start * 6..<(start + size) * 6]), nu: Array(nu[start * 19..<(start + size) * 19]), n: size, d: 6,
        m: 19, alpha: (1 - beta) / Double(size))
      for i in 0..<19 { expected[i] = zip(expected[i], batch[i]).map { beta * $0 + $1 } }
      start += size
      mass *= beta
    }
    let storage = g.elements
    for i in 0..<19 {
      let comparison = Comparison.normwise(
        samples.blocks.symmetric(i, of: storage), expected[i],
        tolerance: Tolerance.gram.relative(T.precision, terms: samples.n))
      expect(comparison, type, "neuron \(i)")
    }
    let blocks = (0..<19).map { samples.blocks.symmetric($0, of: storage) }
    CholeskyBatch<T>(blocks, d: 6, scale: 1 / (1 - mass), damping: 1e-3).checkSucceeded()
  }
}
