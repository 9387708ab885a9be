import CKernels
import FisherKitTestSupport
import Testing

/// The same where it goes by blocks of 64 columns, 8 at a time, and by sums of 256 or 128 terms.
extension DenseCholeskyTests {
  @Test(arguments: Target.all) func ordersAroundBlocks(target: Target) { target.run { ordersAroundBlocks($0) } }

  func ordersAroundBlocks<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 60)
    let boundaries = [79, 80, 81, 95, 96, 97, 101, 119, 127, 128, 129, 136, 143, 160, 191, 192, 193, 199, 200]
    for d in Array(1...73) + boundaries {
      let a = random.positiveDefinite(d: d, condition: 100)
      check(type, a, d: d, damping: d % 2 == 0 ? 0 : 0.01, threads: Sizes.threads[d % 3], m: [1, 4, 5, 20][d % 4])
    }
  }

  @Test(arguments: Target.all) func largeOrders(target: Target) { target.run { largeOrders($0) } }

  func largeOrders<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 61)
    for (d, threads, m) in [(300, 1, 5), (300, 3, 2), (511, 2, 1), (810, 2, 1)] as [(Int, Int32, Int)] {
      check(type, random.positiveDefinite(d: d, condition: 1000), d: d, damping: 0.001, threads: threads, m: m)
    }
  }

  /// Backward stable: as accurate, whatever the condition.
  @Test(arguments: Target.all) func badConditions(target: Target) { target.run { badConditions($0) } }

  func badConditions<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 62)
    for d in [20, 64, 100, 260] {
      for threads in [1, 2] as [Int32] {
        let a = random.positiveDefinite(d: d, condition: 1e7)
        check(type, a, d: d, damping: T.precision == .float ? 1e-6 : 0, threads: threads, m: 1)
        check(type, a, d: d, damping: T.precision == .float ? 1e-6 : 0, threads: threads, m: 5)
      }
    }
  }

  func check<T: KernelPrecision>(_ type: T.Type, _ a: [Double], d: Int, damping: Double, threads: Int32, m: Int) {
    var random = SplitMix64(seed: UInt64(d))
    let place = "d \(d) damping \(damping) threads \(threads)"
    var onlyLower = a
    for i in 0..<d {
      for j in 0..<d where j > i { onlyLower[i * d + j] = .nan }
    }
    let layout: GuardedMatrix<T>.Layout = d % 2 == 0 ? .packed : .strided
    let factored = factor(type, onlyLower, d: d, damping: damping, threads: threads, layout: layout)
    expect(factored.status, type, place)
    let damped = Reference.damped(T.precision.round(a), d: d, damping: damping)
    let comparison = Comparison.normwise(
      Reference.reconstruct(factored.l, d: d), damped, tolerance: Tolerance.factor.relative(T.precision, terms: d))
    expect(comparison, type, place)
    checkSolve(factored.matrix, damped, v: random.normal(m * d), d: d, m: m, threads: threads)
  }

  @Test(arguments: Target.all) func badPivotsOfAllBlocksAreNamed(target: Target) {
    target.run { badPivotsOfAllBlocksAreNamed($0) }
  }

  func badPivotsOfAllBlocksAreNamed<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 63)
    let d = 200
    for (count, pivot) in [0, 1, 37, 63, 64, 65, 100, 127, 128, 191, 192, 199].enumerated() {
      let threads = Sizes.threads[count % 3]
      let a = random.positiveDefinite(d: d, condition: 10)
      for bad in [-1, count % 2 == 0 ? Double.nan : .infinity] {
        for column in bad == -1 ? [pivot] : Set([0, min(63, pivot), pivot / 2, pivot]) {
          var spoilt = a
          spoilt[pivot * d + column] = bad
          let place = "d \(d) threads \(threads) \(bad) in column \(column)"
          expectFailure(factor(type, spoilt, d: d, damping: 0.1, threads: threads), at: pivot, place)
        }
      }
    }
  }

  @Test(arguments: Target.all) func rankDeficiencyIsFound(target: Target) { target.run { rankDeficiencyIsFound($0) } }

  func rankDeficiencyIsFound<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 64)
    for (d, rank) in [(33, 16), (64, 40), (100, 70), (150, 63), (200, 130)] {
      let a = Reference.gram(x: T.precision.round(random.normal(rank * d)), n: rank, d: d)
      for threads in Sizes.threads {
        let failed = factor(type, a, d: d, damping: 0, threads: threads)
        expect(failed.status, is: FK_NOT_POSITIVE_DEFINITE, type, "d \(d) rank \(rank)")
        expect(failed.failure.pivot >= rank, type, "d \(d) rank \(rank): \(failed.failure)")
        expect(factor(type, a, d: d, damping: 1, threads: threads).status, type, "damped, d \(d) rank \(rank)")
      }
    }
  }
}
