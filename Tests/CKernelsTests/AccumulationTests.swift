import CKernels
import FisherKitTestSupport
import Testing

/// Float sums of a million samples stay within 1e-5 of double, whatever the samples; double's within 1e-12, which is the
/// reference's own error.
@Suite struct AccumulationTests {
  static let samples = 1_000_000

  static func tolerance(_ precision: Reference.Precision) -> Double { precision == .float ? 1e-5 : 1e-12 }

  @Test(arguments: Target.all) func gramOfAMillionSamples(target: Target) { target.run { gramOfAMillionSamples($0) } }

  func gramOfAMillionSamples<T: KernelPrecision>(_ type: T.Type) {
    for kind in LongRun<T>.Kind.allCases {
      let run = LongRun<T>(kind, n: Self.samples)
      defer { run.deallocate() }
      let g = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(run.d, run.m))
      let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(run.n, run.d, run.m, 2))
      let status = T.kernels.gramWeightedBatch(
        g.pointer, run.x, run.d, run.nu, run.m, run.n, run.d, run.m, 1, 0, work.pointer, work.size, 2)
      expect(status, type, "\(kind)")
      expect(work.isIntact, type, "\(kind): written past the work space")
      run.expectClose(g.elements, run.sums(), tolerance: Self.tolerance(T.precision), "\(kind)")
    }
  }

  /// A running average over 20,000 batches rounds by less than two units for each batch that still counts, 1/(1 − β) of
  /// them, whatever the samples; the chance of which samples came is larger by far.
  @Test(arguments: Target.all) func runningAverageOfTwentyThousandBatches(target: Target) {
    target.run { runningAverageOfTwentyThousandBatches($0) }
  }

  func runningAverageOfTwentyThousandBatches<T: KernelPrecision>(_ type: T.Type) {
    for kind in [LongRun<T>.Kind.constant, .leaky, .offset] {
      let run = LongRun<T>(kind, n: Self.samples)
      defer { run.deallocate() }
      for beta in [0.9, 0.995] {
        let tolerance = (T.precision == .float ? 0x1p-24 : 0x1p-53) * (2 / (1 - beta) + 50)
        run.expectClose(
          average(run, beta: beta), exactAverage(run, beta: beta), tolerance: max(tolerance, 1e-12),
          "\(kind) beta \(beta)")
      }
    }
  }

  private func average<T: KernelPrecision>(_ run: LongRun<T>, beta: Double) -> [Double] {
    let g = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(run.d, run.m))
    let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(50, run.d, run.m, 1))
    for start in stride(from: 0, to: run.n, by: 50) {
      let status = T.kernels.gramWeightedBatch(
        g.pointer, run.x + start * run.d, run.d, run.nu + start * run.m, run.m, 50, run.d, run.m, (1 - beta) / 50,
        start == 0 ? 0 : beta, work.pointer, work.size, 1)
      if status != FK_OK { expect(status, T.self, "samples from \(start)") }
    }
    expectIntact([g], "beta \(beta)")
    return g.elements
  }

  /// The same by the reference: (1 − β) Σ_t β^t times the mean of the batch t batches ago. Batches repeat themselves, so
  /// that it is enough to weigh those of one period.
  private func exactAverage<T: KernelPrecision>(_ run: LongRun<T>, beta: Double) -> [[Double]] {
    let batches = run.n / 50, distinct = max(1, run.period / 50)
    var weights = [Double](repeating: 0, count: distinct)
    var weight = 1 - beta
    for batch in (0..<batches).reversed() {
      weights[batch % distinct] += weight
      weight *= beta
    }
    let (d, m, n) = (run.d, run.m, run.period)
    let weighted = (0..<(n * m)).map { run.periodNu[$0] * weights[$0 / m / 50 % distinct] * (n == 1 ? 1 : 1 / 50) }
    return Reference.weightedGram(x: run.periodX, nu: weighted, n: n, d: d, m: m)
  }

  /// Sums by BLAS, in one call: Xᵀ X, and νᵀ X.
  @Test(arguments: Target.all) func productsOfAMillionSamples(target: Target) {
    target.run { productsOfAMillionSamples($0) }
  }

  func productsOfAMillionSamples<T: KernelPrecision>(_ type: T.Type) {
    for kind in [LongRun<T>.Kind.constant, .leaky] {
      let run = LongRun<T>(kind, n: Self.samples)
      defer { run.deallocate() }
      let (d, m) = (run.d, run.m)
      for n in [run.period == 1 ? 4_000 : 10_000, Self.samples] {
        let g = GuardedMatrix<T>(
          [Double](repeating: 0, count: d * d), rows: d, columns: d, layout: .strided)
        expect(T.kernels.gram(g.pointer, g.leadingDimension, run.x, d, n, d, 0.5, 0, 2), type, "gram \(kind) n \(n)")
        let expected = Reference.gram(x: run.periodX, n: run.period, d: d, alpha: 0.5 * Double(n / run.period))
        let lower = (0..<d * d).map { $0 % d > $0 / d ? 0 : expected[$0] }
        expect(
          Comparison.normwise(g.elements, lower, tolerance: Self.tolerance(T.precision)), type, "gram \(kind) n \(n)")

        let r = GuardedMatrix<T>(rows: m, columns: d, layout: .strided)
        let status = T.kernels.gemm(
          r.pointer, r.leadingDimension, run.nu, m, 1, run.x, d, 0, m, d, n, 2, 0, 2)
        expect(status, type, "gemm \(kind) n \(n)")
        let product = Reference.gemm(
          a: run.periodNu, transposeA: true, b: run.periodX, m: m, n: d, k: run.period)
        expect(
          Comparison.normwise(
            r.elements, product.map { 2 * Double(n / run.period) * $0 }, tolerance: Self.tolerance(T.precision)), type,
          "gemm \(kind) n \(n)")
        expectIntact([g, r], "\(kind) n \(n)")
      }
    }
  }

  /// Long sums are computed a tile of 128 × 128 at a time, transposed or not, with a beta.
  @Test(arguments: Target.all) func longProductsMatchTheReference(target: Target) {
    target.run { longProductsMatchTheReference($0) }
  }

  func longProductsMatchTheReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 52)
    let k = 8_200
    for (m, n) in [(130, 3), (2, 129)] {
      let (a, b, c) = (random.normal(m * k), random.normal(k * n), random.normal(m * n))
      for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
        for (beta, threads) in [(0.0, 1), (0.5, 3)] as [(Double, Int32)] {
          let place = "m \(m) n \(n) k \(k) \(transposeA) \(transposeB) beta \(beta) threads \(threads)"
          let left = GuardedMatrix<T>(
            a, rows: transposeA ? k : m, columns: transposeA ? m : k, layout: .strided)
          let right = GuardedMatrix<T>(
            b, rows: transposeB ? n : k, columns: transposeB ? k : n, layout: .strided)
          let result = GuardedMatrix<T>(beta == 0 ? nil : c, rows: m, columns: n, layout: .strided)
          let status = T.kernels.gemm(
            result.pointer, result.leadingDimension, left.pointer, left.leadingDimension, transposeA ? 1 : 0,
            right.pointer, right.leadingDimension, transposeB ? 1 : 0, m, n, k, -1.5, beta, threads)
          expect(status, type, place)
          expectIntact([left, right, result], place)
          let sum = Reference.gemm(
            a: left.elements, transposeA: transposeA, b: right.elements, transposeB: transposeB, m: m, n: n, k: k)
          let expected = zip(sum, T.precision.round(c)).map { -1.5 * $0 + beta * $1 }
          // relative to the largest sum, of the order of the root of k
          let comparison = Comparison.normwise(
            result.elements, expected, scale: Double(k).squareRoot(),
            tolerance: Tolerance.product.relative(T.precision, terms: 256))
          expect(comparison, type, place)
        }
      }
    }
  }

  @Test(arguments: Target.all) func longGramMatchesTheReference(target: Target) {
    target.run { longGramMatchesTheReference($0) }
  }

  func longGramMatchesTheReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 53)
    let (n, d) = (8_193, 131)
    let x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: .strided)
    let expected = Reference.gram(x: x.elements, n: n, d: d)
    var results: [[Double]] = []
    for threads in [1, 2, 3] as [Int32] {
      let g = GuardedMatrix<T>([Double](repeating: 7, count: d * d), rows: d, columns: d, layout: .strided)
      expect(
        T.kernels.gram(g.pointer, g.leadingDimension, x.pointer, x.leadingDimension, n, d, 1, 0, threads), type,
        "threads \(threads)")
      expectIntact([g, x], "threads \(threads)")
      let elements = g.elements
      let mirrored = (0..<d * d).map { $0 % d > $0 / d ? elements[$0 % d * d + $0 / d] : elements[$0] }
      expect(
        Comparison.normwise(mirrored, expected, tolerance: Tolerance.product.relative(T.precision, terms: 256)), type,
        "threads \(threads)")
      let upper = (0..<d * d).filter { $0 % d > $0 / d }
      expect(upper.allSatisfy { elements[$0] == 7 }, type, "threads \(threads): the upper triangle was written")
      results.append(elements)
    }
    for result in results { expectIdentical(result, results[0], type, "on another number of threads") }
  }
}
