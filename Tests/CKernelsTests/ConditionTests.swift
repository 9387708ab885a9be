import CKernels
import FisherKitTestSupport
import Foundation
import Testing

/// Blocks of prescribed condition, and one bad block among thousands.
@Suite struct ConditionTests {
  /// Eigenvalues log-spaced from 1 to 1/κ. The backward error stays at rounding; the solution is as close to the exact
  /// one as κ u allows: 4 κ u √d, relative to its largest entry.
  @Test(arguments: Target.all, 1...7) func conditionShowsInTheSolutionOnly(target: Target, decades: Int) {
    target.run { conditionShowsInTheSolutionOnly($0, condition: pow(10, Double(decades))) }
  }

  func conditionShowsInTheSolutionOnly<T: KernelPrecision>(_ type: T.Type, condition: Double) {
    var random = SplitMix64(seed: 71)
    let unit = T.precision.unitRoundoff
    for d in [4, 9, 17, 32] {
      let m = 19
      let blocks = (0..<m).map { _ in random.positiveDefinite(d: d, condition: condition) }
      let factored = CholeskyBatch<T>(blocks, d: d, damping: 0)
      factored.checkSucceeded()
      let v = random.normal(m * d)
      let solution = factored.solve(v, layout: .strided)
      for (b, block) in factored.blocks.enumerated() {
        let row = b * d..<(b + 1) * d
        let place = "condition \(condition) d \(d) block \(b)"
        let (right, x) = (T.precision.round(Array(v[row])), Array(solution[row]))
        let backward = Comparison.backward(
          block, x: x, v: right, d: d, tolerance: Tolerance.solve.relative(T.precision, terms: d))
        expect(backward, type, place)
        guard case .success(let l) = Reference.cholesky(block, d: d, damping: 0) else {
          Issue.record("\(place): the reference finds the block not positive definite")
          continue
        }
        let forward = Comparison.normwise(
          x, Reference.choleskySolve(l, right, d: d), tolerance: 4 * condition * unit * Double(d).squareRoot())
        expect(forward, type, "\(place), forward")
      }
    }
  }

  @Test(arguments: Target.all) func oneBadBlockAmongThousands(target: Target) {
    target.run { oneBadBlockAmongThousands($0) }
  }

  func oneBadBlockAmongThousands<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 72)
    let (d, m, bad, pivot) = (6, 4_000, 2_741, 4)
    let good = (0..<m).map { _ in random.positiveDefinite(d: d, condition: 100) }
    let v = random.normal(m * d)
    var blocks = good
    blocks[bad] = random.indefinite(d: d, pivot: pivot, value: -0.25)
    for threads in [1, 3] as [Int32] {
      let factored = CholeskyBatch<T>(blocks, d: d, damping: 0, threads: threads)
      factored.checkFailed([bad: pivot])
      let failure = factored.failure
      expect(failure.block == bad && failure.pivot == pivot && failure.failed_blocks == 1, type, "\(failure)")
      expect(abs(failure.value + 0.25) < 1e-5, type, "\(failure)")
      // the others, its neighbours in the vector too, do not notice
      let solution = factored.solve(v)
      let undisturbed = CholeskyBatch<T>(good, d: d, damping: 0, threads: threads).solve(v)
      let own = bad * d..<(bad + 1) * d
      let others = solution.indices.filter { !own.contains($0) }
      expect(others.allSatisfy { solution[$0] == undisturbed[$0] }, type, "another block's solution changed")
      expect(own.allSatisfy { solution[$0] == 0 || !solution[$0].isFinite }, type, "a direction from a bad block")
    }
  }

  @Test(arguments: Target.all) func severalBadBlocksAmongThousands(target: Target) {
    target.run { severalBadBlocksAmongThousands($0) }
  }

  func severalBadBlocksAmongThousands<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 73)
    let (d, m) = (6, 4_000)
    var blocks = (0..<m).map { _ in random.positiveDefinite(d: d, condition: 100) }
    let bad = [3_999: 0, 17: 5, 1_024: 2, 18: 0, 2_000: 3]
    for (block, pivot) in bad { blocks[block] = random.indefinite(d: d, pivot: pivot) }
    for threads in [1, 2, 5] as [Int32] {
      CholeskyBatch<T>(blocks, d: d, damping: 0, threads: threads).checkFailed(bad)
    }
  }
}
