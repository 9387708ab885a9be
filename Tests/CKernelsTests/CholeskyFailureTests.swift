import CKernels
import FisherKitTestSupport
import Testing

@Suite struct CholeskyFailureTests {
  @Test(arguments: Target.all) func everyPivotOfEveryBlockIsWatched(target: Target) {
    target.run { everyPivotOfEveryBlockIsWatched($0) }
  }

  func everyPivotOfEveryBlockIsWatched<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 11)
    for d in [1, 2, 3, 4, 5, 14, 27] {
      for pivot in 0..<d {
        var blocks = (0..<18).map { _ in random.positiveDefinite(d: d, condition: 10) }
        let block = pivot * 5 % 18
        blocks[block] = random.indefinite(d: d, pivot: pivot)
        CholeskyBatch<T>(blocks, d: d, damping: 0).checkFailed([block: pivot])
      }
    }
  }

  @Test(arguments: Target.all) func lowestOfSeveralIsReported(target: Target) {
    target.run { lowestOfSeveralIsReported($0) }
  }

  func lowestOfSeveralIsReported<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 12)
    let d = 30
    for expected in [[7: 20, 23: 0, 24: 29, 69: 3], [0: 29, 1: 0], [68: 5, 69: 4], [15: 1, 16: 0, 17: 2]] {
      for threads in Sizes.threads {
        let blocks = (0..<70).map { block in
          expected[block].map { random.indefinite(d: d, pivot: $0) } ?? random.positiveDefinite(d: d, condition: 10)
        }
        let factored = CholeskyBatch<T>(blocks, d: d, damping: 0, threads: threads)
        factored.checkFailed(expected)
        // the pivot found is the -1 it was made of
        expect(abs(factored.failure.value + 1) < 0.01, type, "pivot \(factored.failure.value)")
      }
    }
  }

  @Test(arguments: Target.all) func allBlocksMayFail(target: Target) { target.run { allBlocksMayFail($0) } }

  func allBlocksMayFail<T: KernelPrecision>(_ type: T.Type) {
    let zeros = [[Double]](repeating: [Double](repeating: 0, count: 36), count: 17)
    CholeskyBatch<T>(zeros, d: 6, damping: 0)
      .checkFailed(Dictionary(uniqueKeysWithValues: (0..<17).map { ($0, 0) }))
    CholeskyBatch<T>([[-1]], d: 1, damping: 0.5).checkFailed([0: 0])
    CholeskyBatch<T>([[1]], d: 1, damping: -1).checkFailed([0: 0])
  }

  /// Far fewer samples than parameters and no damping: the zero pivots come out as noise of either sign.
  @Test(arguments: Target.all) func rankDeficiencyIsFound(target: Target) { target.run { rankDeficiencyIsFound($0) } }

  func rankDeficiencyIsFound<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 13)
    for (d, rank) in [(12, 5), (33, 16), (64, 40)] {
      let blocks = (0..<200).map { _ in
        Reference.gram(x: T.precision.round(random.normal(rank * d)), n: rank, d: d)
      }
      let missed = CholeskyBatch<T>(blocks, d: d, damping: 0).info.filter { $0 == 0 }.count
      expect(missed == 0, type, "d \(d) rank \(rank): \(missed) of 200 blocks passed for positive definite")
      CholeskyBatch<T>(blocks, d: d, damping: 0.01).checkSucceeded()
    }
  }

  /// The rule of the header to the letter, on blocks that are factored without any rounding that matters.
  @Test(arguments: Target.all) func aPivotHasToExceedTheRoundingOfItsDiagonal(target: Target) {
    target.run { aPivotHasToExceedTheRoundingOfItsDiagonal($0) }
  }

  func aPivotHasToExceedTheRoundingOfItsDiagonal<T: KernelPrecision>(_ type: T.Type) {
    let unit = T.precision.unitRoundoff
    CholeskyBatch<T>([[1, 2, 2, 4]], d: 2, damping: 0).checkFailed([0: 1])
    CholeskyBatch<T>([[1, 1, 1, 1 + 2 * unit]], d: 2, damping: 0).checkSucceeded()
    // the last pivot is (1 + 2 unit) - 1 - c^2: positive in both cases, noise in the second
    for (square, expected) in [(0.5, FK_OK), (1.5, FK_NOT_POSITIVE_DEFINITE)] {
      let c = (square * unit).squareRoot()
      let factored = CholeskyBatch<T>([[1, 0, 1, 0, 1, c, 1, c, 1 + 2 * unit]], d: 3, damping: 0)
      expect(factored.status, is: expected, type, "last pivot of \(2 - square) units")
      expect(factored.info == [expected == FK_OK ? 0 : 3], type, "last pivot of \(2 - square) units")
    }
  }

  @Test(arguments: Target.all) func whatIsNotFiniteIsFound(target: Target) { target.run { whatIsNotFiniteIsFound($0) } }

  func whatIsNotFiniteIsFound<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 14)
    let d = 13
    for bad in [Double.nan, .infinity, -.infinity] {
      for (i, j) in [(0, 0), (1, 0), (5, 5), (6, 2), (12, 0), (12, 11), (12, 12)] {
        var blocks = (0..<18).map { _ in random.positiveDefinite(d: d, condition: 10) }
        blocks[9][i * d + j] = bad
        let factored = CholeskyBatch<T>(blocks, d: d, damping: 0.1)
        factored.checkFailed([9: i])
        expectNoDirection(factored, blocks: [9], "\(bad) at (\(i),\(j))")
      }
    }
  }

  /// The solution with a failed block is zero or not finite: nothing an optimizer could take for a direction.
  @Test(arguments: Target.all) func aFailedBlockGivesNoDirection(target: Target) {
    target.run { aFailedBlockGivesNoDirection($0) }
  }

  func aFailedBlockGivesNoDirection<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 15)
    for d in [1, 4, 5, 18] {
      for pivot in 0..<d {
        var blocks = (0..<20).map { _ in random.positiveDefinite(d: d, condition: 10) }
        blocks[3] = random.indefinite(d: d, pivot: pivot)
        blocks[17] = random.indefinite(d: d, pivot: d - 1 - pivot)
        let factored = CholeskyBatch<T>(blocks, d: d, damping: 0)
        factored.checkFailed([3: pivot, 17: d - 1 - pivot])
        expectNoDirection(factored, blocks: [3, 17], "pivot \(pivot)")
      }
    }
  }

  func expectNoDirection<T: KernelPrecision>(_ factored: CholeskyBatch<T>, blocks: [Int], _ place: String) {
    let d = factored.d
    let m = factored.blocks.count
    var random = SplitMix64(seed: 16)
    let v = random.uniform(m * d, in: 0.5...1)
    let solution = factored.solve(v)
    for b in 0..<m {
      let row = Array(solution[b * d..<(b + 1) * d])
      if blocks.contains(b) {
        let isNone = row.allSatisfy { $0 == 0 } || row.contains { !$0.isFinite }
        expect(isNone, T.self, "\(factored.place) \(place): block \(b) failed and gave \(row)")
      } else {
        let error = Reference.backwardError(
          Reference.damped(factored.blocks[b], d: d, damping: factored.damping), x: row,
          v: T.precision.round(Array(v[b * d..<(b + 1) * d])), d: d)
        expect(
          error <= Tolerance.solve.relative(T.precision, terms: d), T.self,
          "\(factored.place) \(place): block \(b) is good, backward error \(error)")
      }
    }
  }

  @Test(arguments: Target.all) func infoAndFailureMayBeLeftOut(target: Target) {
    target.run { infoAndFailureMayBeLeftOut($0) }
  }

  func infoAndFailureMayBeLeftOut<T: KernelPrecision>(_ type: T.Type) {
    let batch = BatchMinor(d: 2, count: 3, precision: T.precision)
    for (damping, expected) in [(1.0, FK_OK), (0.0, FK_NOT_POSITIVE_DEFINITE)] {
      let storage = GuardedMatrix<T>(
        [Double](repeating: 0, count: batch.elementCount), rows: 1, columns: batch.elementCount)
      let status = T.kernels.choleskyBatch(storage.pointer, nil, nil, 2, 3, 1, damping, 1)
      expect(status, is: expected, type, "damping \(damping)")
    }
  }
}
