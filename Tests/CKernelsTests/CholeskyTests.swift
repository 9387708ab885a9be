import CKernels
import FisherKitTestSupport
import Testing

@Suite struct CholeskyTests {
  @Test(arguments: Target.all) func factorsDampedBlocks(target: Target) { target.run { factorsDampedBlocks($0) } }

  func factorsDampedBlocks<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 6)
    for d in [0] + Sizes.all + [11, 12, 13, 24, 25, 48, 49] {
      for m in [0, 1, 7, 8, 9, 16, 17, 33] {
        let blocks = (0..<m).map { _ in random.positiveDefinite(d: d) }
        for damping in [0, 0.1] { CholeskyBatch<T>(blocks, d: d, damping: damping, layout: .strided).checkSucceeded() }
      }
    }
  }

  /// Above the work worth a second thread.
  @Test(arguments: Target.all) func factorsOnManyThreads(target: Target) { target.run { factorsOnManyThreads($0) } }

  func factorsOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 7)
    let blocks = (0..<70).map { _ in random.positiveDefinite(d: 34) }
    for threads in Sizes.threads + [0] {
      CholeskyBatch<T>(blocks, d: 34, damping: 0.01, threads: threads).checkSucceeded()
    }
    let large = (0..<3).map { _ in random.positiveDefinite(d: 160) }
    CholeskyBatch<T>(large, d: 160, damping: 0.01, threads: 2).checkSucceeded()
  }

  /// The damping is added once, to the diagonal only, and L is the unique lower triangular factor.
  @Test(arguments: Target.all) func factorIsTheReferences(target: Target) { target.run { factorIsTheReferences($0) } }

  func factorIsTheReferences<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 8)
    for d in [1, 5, 16, 29] {
      let factored = CholeskyBatch<T>((0..<19).map { _ in random.positiveDefinite(d: d) }, d: d, damping: 0.5)
      for (b, block) in factored.blocks.enumerated() {
        guard case .success(let l) = Reference.cholesky(block, d: d, damping: 0.5) else {
          Issue.record("the reference failed on block \(b) of order \(d)")
          continue
        }
        // the condition of these blocks is at most about 20
        let tolerance = 20 * Tolerance.factor.relative(T.precision, terms: d)
        let comparison = Comparison.normwise(
          factored.batch.factor(b, of: factored.storage.elements), l, tolerance: tolerance)
        expect(comparison, type, "d \(d) block \(b)")
      }
    }
  }

  /// Blocks of a bad condition, and neighbours of very different scale, are factored with a small backward error.
  @Test(arguments: Target.all) func conditionAndScaleDoNotMatter(target: Target) {
    target.run { conditionAndScaleDoNotMatter($0) }
  }

  func conditionAndScaleDoNotMatter<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 9)
    let worst = T.precision == .float ? 1e4 : 1e12
    for d in [2, 15, 33] {
      let scales = T.precision == .float ? [1e-12, 1, 1e12] : [1e-100, 1, 1e100]
      let blocks = (0..<20).map { b in random.positiveDefinite(d: d, condition: worst).map { scales[b % 3] * $0 } }
      CholeskyBatch<T>(blocks, d: d, damping: 0).checkSucceeded()
    }
  }

  @Test(arguments: Target.all) func hugeDampingIsItsMultipleOfTheIdentity(target: Target) {
    target.run { hugeDampingIsItsMultipleOfTheIdentity($0) }
  }

  func hugeDampingIsItsMultipleOfTheIdentity<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 10)
    let (d, m) = (9, 11)
    let factored = CholeskyBatch<T>((0..<m).map { _ in random.positiveDefinite(d: d) }, d: d, damping: 1e30)
    factored.checkSucceeded()
    let v = random.normal(m * d)
    let comparison = Comparison.elementwise(
      factored.solve(v).map { $0 * 1e30 }, T.precision.round(v), tolerance: Tolerance.solve.relative(T.precision))
    expect(comparison, type, "D = V / damping")
  }

  /// Zero blocks are what a dead neuron has: with damping they are fine.
  @Test(arguments: Target.all) func dampingSavesADeadNeuron(target: Target) {
    target.run { dampingSavesADeadNeuron($0) }
  }

  func dampingSavesADeadNeuron<T: KernelPrecision>(_ type: T.Type) {
    for damping in [1e-30, 0.005] {
      CholeskyBatch<T>([[Double]](repeating: [Double](repeating: 0, count: 49), count: 3), d: 7, damping: damping)
        .checkSucceeded()
    }
  }
}
