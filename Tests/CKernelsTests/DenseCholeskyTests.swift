import CKernels
import FisherKitTestSupport
import Testing

/// Factorisation of and solves with one dense matrix.
@Suite struct DenseCholeskyTests {
  @Test(arguments: Target.all) func factorsAndSolves(target: Target) { target.run { factorsAndSolves($0) } }

  func factorsAndSolves<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 29)
    for d in [0] + Sizes.all + [64, 65, 130] {
      for damping in [0, 0.1] {
        let a = random.positiveDefinite(d: d)
        let factored = factor(type, a, d: d, damping: damping)
        expect(factored.status, type, "d \(d) damping \(damping)")
        let damped = Reference.damped(T.precision.round(a), d: d, damping: damping)
        let comparison = Comparison.normwise(
          Reference.reconstruct(factored.l, d: d), damped,
          tolerance: Tolerance.factor.relative(T.precision, terms: d))
        expect(comparison, type, "d \(d) damping \(damping)")
        for m in [0, 1, 5, 33] { checkSolve(factored.matrix, damped, v: random.normal(m * d), d: d, m: m, threads: 1) }
      }
    }
  }

  @Test(arguments: Target.all) func solvesOnManyThreads(target: Target) { target.run { solvesOnManyThreads($0) } }

  func solvesOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 30)
    let d = 130
    let a = random.positiveDefinite(d: d)
    let factored = factor(type, a, d: d, damping: 0.1)
    let damped = Reference.damped(T.precision.round(a), d: d, damping: 0.1)
    for m in [32, 41] {
      for threads in Sizes.threads {
        checkSolve(factored.matrix, damped, v: random.normal(m * d), d: d, m: m, threads: threads)
      }
    }
  }

  func checkSolve<T: KernelPrecision>(
    _ l: GuardedMatrix<T>, _ damped: [Double], v: [Double], d: Int, m: Int, threads: Int32
  ) {
    let solution = GuardedMatrix<T>(v, rows: m, columns: d, layout: .strided)
    let status = T.kernels.choleskySolve(
      solution.pointer, solution.leadingDimension, l.pointer, l.leadingDimension, d, m, threads)
    let place = "solve d \(d) m \(m) threads \(threads)"
    expect(status, T.self, place)
    expectIntact([solution, l], place)
    let x = solution.elements
    for row in 0..<m {
      let error = Reference.backwardError(
        damped, x: Array(x[row * d..<(row + 1) * d]), v: T.precision.round(Array(v[row * d..<(row + 1) * d])), d: d)
      expect(
        error <= Tolerance.solve.relative(T.precision, terms: d), T.self, "\(place) row \(row): backward error \(error)"
      )
    }
  }

  @Test(arguments: Target.all) func everyBadPivotIsNamed(target: Target) { target.run { everyBadPivotIsNamed($0) } }

  func everyBadPivotIsNamed<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 31)
    for d in [1, 2, 5, 40, 140] {
      for pivot in Set([0, 1, d / 2, d - 2, d - 1]) where pivot >= 0 && pivot < d {
        let failure = factor(type, random.indefinite(d: d, pivot: pivot), d: d, damping: 0)
        expectFailure(failure, at: pivot, "d \(d)")
        for bad in [Double.nan, .infinity, -.infinity] {
          for column in Set([0, pivot / 2, pivot]) {
            var a = random.positiveDefinite(d: d)
            a[pivot * d + column] = bad
            expectFailure(factor(type, a, d: d, damping: 0.1), at: pivot, "d \(d) \(bad) in column \(column)")
          }
        }
      }
    }
  }

  /// Two bad pivots, the first of them only noise: it is the first that is reported, as in the batch.
  @Test(arguments: Target.all) func theFirstBadPivotIsNamed(target: Target) {
    target.run { theFirstBadPivotIsNamed($0) }
  }

  func theFirstBadPivotIsNamed<T: KernelPrecision>(_ type: T.Type) {
    let unit = T.precision.unitRoundoff
    for (d, noise) in [(4, 2), (140, 130), (300, 290)] {
      // pivot `noise` is (1 + 2 unit) - 1 - c^2 = unit / 2, the last one -1
      let c = (1.5 * unit).squareRoot()
      var a = [Double](repeating: 0, count: d * d)
      for i in 0..<d { a[i * d + i] = i == noise ? 1 + 2 * unit : i == d - 1 ? -1 : 1 }
      for (column, element) in [(0, 1), (noise / 2, c)] {
        a[noise * d + column] = element
        a[column * d + noise] = element
      }
      expectFailure(factor(type, a, d: d, damping: 0), at: noise, "noise, then -1, d \(d)")
      a[d * d - 1] = 1
      expectFailure(factor(type, a, d: d, damping: 0), at: noise, "noise, d \(d)")
    }
    expectFailure(factor(type, [1, 2, 2, 4], d: 2, damping: 0), at: 1, "one sample, two parameters")
  }

  func expectFailure<T: KernelPrecision>(_ factored: Factored<T>, at pivot: Int, _ place: String) {
    expect(factored.status, is: FK_NOT_POSITIVE_DEFINITE, T.self, "\(place) pivot \(pivot)")
    let failure = factored.failure
    expect(
      failure.block == 0 && failure.pivot == pivot && failure.failed_blocks == 1, T.self,
      "\(place) pivot \(pivot): \(failure)")
    expect(!(failure.value > 1e-6 && failure.value.isFinite), T.self, "\(place) pivot \(pivot): \(failure)")
  }

  struct Factored<T: KernelPrecision> {
    let status: fk_status
    let failure: fk_failure
    let matrix: GuardedMatrix<T>
    /// L, with the upper triangle zero.
    let l: [Double]
  }

  func factor<T: KernelPrecision>(
    _ type: T.Type, _ a: [Double], d: Int, damping: Double, threads: Int32 = 1,
    layout: GuardedMatrix<T>.Layout = .strided
  ) -> Factored<T> {
    let matrix = GuardedMatrix<T>(a, rows: d, columns: d, layout: layout)
    let before = matrix.elements
    var failure = fk_failure(block: -7, pivot: -7, failed_blocks: -7, value: .nan)
    let status = T.kernels.cholesky(matrix.pointer, matrix.leadingDimension, &failure, d, damping, threads)
    expectIntact([matrix], "d \(d)")
    var l = matrix.elements
    for i in 0..<d {
      for j in 0..<d where j > i {
        let isUntouched = l[i * d + j] == before[i * d + j] || (before[i * d + j].isNaN && l[i * d + j].isNaN)
        expect(isUntouched, type, "d \(d): the upper triangle was written at (\(i),\(j))")
        l[i * d + j] = 0
      }
    }
    return Factored(status: status, failure: failure, matrix: matrix, l: l)
  }
}
