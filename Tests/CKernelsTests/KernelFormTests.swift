import CKernels
import FisherKitTestSupport
import Foundation
import Testing

/// The kernel (Woodbury) form against the (d,d) systems that it stands for.
@Suite struct KernelFormTests {
  @Test(arguments: Target.all) func solvesTheDampedSystems(target: Target) { target.run { solvesTheDampedSystems($0) } }

  func solvesTheDampedSystems<T: KernelPrecision>(_ type: T.Type) {
    for n in Sizes.small + [15, 16, 17, 33] {
      for d in [1, 2, 7, 16, 17, 40] {
        for m in [1, 8, 15, 17] { check(KernelForm<T>(n: n, d: d, m: m, damping: 0.5, layout: .strided)) }
      }
    }
    for m in Sizes.all { check(KernelForm<T>(n: 6, d: 9, m: m, damping: 0.5)) }
  }

  /// Above the work worth a second thread, in the products and in the factorisation.
  @Test(arguments: Target.all) func solvesOnManyThreads(target: Target) { target.run { solvesOnManyThreads($0) } }

  func solvesOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    for threads in Sizes.threads + [0] {
      check(KernelForm<T>(n: 40, d: 70, m: 70, damping: 0.5, threads: threads))
      check(KernelForm<T>(n: 70, d: 40, m: 33, damping: 0.5, threads: threads))
    }
  }

  /// Backward errors: without a refinement up to the condition times rounding, with one just rounding.
  func check<T: KernelPrecision>(_ form: KernelForm<T>) {
    var random = SplitMix64(seed: 62)
    expect(form.status, T.self, form.place)
    expect(form.info.allSatisfy { $0 == 0 }, T.self, "\(form.place): info \(form.info)")
    let v = random.normal(form.m * form.d)
    let blocks = form.dampedBlocks()
    let norm = blocks.map { Reference.maximumNorm($0) }.max() ?? 0
    for refinements in 0...2 as ClosedRange<Int32> {
      let solution = form.solve(v, refinements: refinements)
      let allowed = form.tolerance * (refinements == 0 ? norm / form.damping : 1)
      let error = form.backwardError(solution, v, blocks: blocks)
      expect(error <= allowed, T.self, "\(form.place) refinements \(refinements): backward error \(error)")
      expectIdentical(
        form.solve(v, refinements: refinements, inPlace: true), solution, T.self, "\(form.place) in place")
    }
  }

  /// v in the row space of X, nu large and the damping tiny: all that V / damping has is to be cancelled.
  @Test(arguments: Target.all) func refinementsMakeItStable(target: Target) {
    target.run { refinementsMakeItStable($0) }
  }

  func refinementsMakeItStable<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 63)
    for (n, d, m, decay) in [(5, 12, 9, 1), (20, 60, 17, 0.9), (50, 120, 8, 1), (50, 120, 8, 0.95), (30, 20, 5, 1)] {
      var x = random.samples(n: n, d: d)
      for e in x.indices { x[e] *= pow(decay, Double(e % d)) }
      let nu = random.uniform(n * m, in: 100...10000)
      let v = Reference.gemm(a: random.normal(m * n), b: T.precision.round(x), m: m, n: d, k: n)
      // the top eigenvalue is at least the mean of the diagonal
      let top = 5000 * Double(max(n, d)) / Double(n)
      for ratio in [1e-4, 1e-5, 1e-6] {
        let form = KernelForm<T>(x: x, nu: nu, n: n, d: d, m: m, damping: ratio * top)
        expect(form.status, type, form.place)
        let blocks = form.dampedBlocks()
        let plain = form.backwardError(form.solve(v), v, blocks: blocks)
        // one will do, unless there are more samples than inputs
        let refined = form.backwardError(form.solve(v, refinements: n < d ? 1 : 6), v, blocks: blocks)
        let rounding = Tolerance.solve.relative(T.precision)
        expect(refined <= rounding, type, "\(form.place) ratio \(ratio): \(refined) after \(plain)")
        // else this test would show nothing
        expect(plain > 4 * rounding, type, "\(form.place) ratio \(ratio): \(plain) without refinement")
      }
    }
  }

  /// Where the condition is moderate the solution itself is the direct one.
  @Test(arguments: Target.all) func solutionIsTheReferences(target: Target) {
    target.run { solutionIsTheReferences($0) }
  }

  func solutionIsTheReferences<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 64)
    for (n, d, m) in [(4, 9, 3), (9, 4, 3), (16, 16, 17), (20, 41, 33)] {
      let form = KernelForm<T>(n: n, d: d, m: m, damping: 1, nu: 0.5...2)
      let v = T.precision.round(random.normal(m * d))
      let solution = form.solve(v, refinements: 1)
      for (i, block) in form.dampedBlocks().enumerated() {
        let row = i * d..<(i + 1) * d
        guard case .success(let l) = Reference.cholesky(block, d: d, damping: 0) else {
          Issue.record("the reference failed")
          continue
        }
        let comparison = Comparison.normwise(
          Array(solution[row]), Reference.choleskySolve(l, Array(v[row]), d: d),
          tolerance: Reference.maximumNorm(block) * form.tolerance)
        expect(comparison, type, "\(form.place) neuron \(i)")
      }
    }
  }

  /// Samples and whole neurons whose nu is 0.
  @Test(arguments: Target.all) func zeroWeightsCountForNothing(target: Target) {
    target.run { zeroWeightsCountForNothing($0) }
  }

  func zeroWeightsCountForNothing<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 65)
    let (n, d, m) = (13, 21, 19)
    let x = random.samples(n: n, d: d)
    for damping in [1e-30, 0.005, 1, 1e30] {
      var nu = random.uniform(n * m, in: 0.5...1)
      for s in 0..<n {
        for i in 0..<m where i == 3 || i == 18 || (s + i) % 3 == 0 || damping == 1e-30 { nu[s * m + i] = 0 }
      }
      let form = KernelForm<T>(x: x, nu: nu, n: n, d: d, m: m, damping: damping)
      expect(form.status, type, form.place)
      let v = T.precision.round(random.normal(m * d))
      for refinements in [0, 1, 3] as [Int32] {
        let solution = form.solve(v, refinements: refinements)
        for i in [3, 18] + (damping == 0.005 || damping == 1 ? [] : Array(0..<m)) {
          let row = i * d..<(i + 1) * d
          let comparison = Comparison.elementwise(
            solution[row].map { $0 * damping }, Array(v[row]), tolerance: Tolerance.update.relative(T.precision))
          expect(comparison, type, "\(form.place) neuron \(i): D = V / damping")
        }
        guard refinements > 0, damping == 0.005 || damping == 1 else { continue }
        let error = form.backwardError(solution, v, blocks: form.dampedBlocks())
        expect(error <= form.tolerance, type, "\(form.place): backward error \(error)")
      }
    }
  }

  @Test(arguments: Target.all) func noSamplesNoInputsNoNeurons(target: Target) {
    target.run { noSamplesNoInputsNoNeurons($0) }
  }

  func noSamplesNoInputsNoNeurons<T: KernelPrecision>(_ type: T.Type) {
    for (n, d, m) in [(0, 5, 3), (4, 0, 3), (4, 5, 0)] {
      let form = KernelForm<T>(n: n, d: d, m: m, damping: 0.25)
      expect(form.status, type, form.place)
      let v = [Double](repeating: 3, count: m * d)
      for refinements in [0, 1] as [Int32] {
        expect(form.solve(v, refinements: refinements).allSatisfy { $0 == 12 }, type, "\(form.place): D = V / damping")
      }
    }
  }

  /// A weight that is no weight: the block and the sample are named, the others are solved, and it gives no direction.
  @Test(arguments: Target.all) func failuresAreNamed(target: Target) { target.run { failuresAreNamed($0) } }

  func failuresAreNamed<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 66)
    let (n, d, m) = (11, 30, 40)
    let x = random.samples(n: n, d: d)
    for bad in [-1, Double.nan, .infinity] {
      for threads in Sizes.threads {
        var nu = random.uniform(n * m, in: 0.5...1)
        for (neuron, sample) in [7: 4, 23: 0, 39: 10] { nu[sample * m + neuron] = bad }
        let form = KernelForm<T>(x: x, nu: nu, n: n, d: d, m: m, damping: 0.5, threads: threads)
        expect(form.status, is: FK_NOT_POSITIVE_DEFINITE, type, form.place)
        expect(
          form.failure.block == 7 && form.failure.failed_blocks == 3 && !(form.failure.value > 0 && bad < 0), type,
          "\(form.place): \(form.failure)")
        let expected = (0..<m).map { [7: 5, 23: 1, 39: 11][$0] ?? 0 }
        expect(form.info == expected && form.failure.pivot == 4, type, "\(form.place): info \(form.info)")
        let v = random.normal(m * d)
        for refinements in [0, 2] as [Int32] {
          let solution = form.solve(v, refinements: refinements)
          let blocks = form.dampedBlocks()
          for i in 0..<m {
            let row = Array(solution[i * d..<(i + 1) * d])
            if expected[i] > 0 {
              expect(row.allSatisfy { $0 == 0 }, type, "\(form.place): neuron \(i) failed and gave \(row)")
            } else {
              let right = T.precision.round(Array(v[i * d..<(i + 1) * d]))
              let error = Reference.backwardError(blocks[i], x: row, v: right, d: d)
              expect(error <= 10 * form.tolerance, type, "\(form.place) neuron \(i): backward error \(error)")
            }
          }
        }
      }
    }
  }
}
