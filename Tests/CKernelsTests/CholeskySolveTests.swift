import CKernels
import FisherKitTestSupport
import Testing

@Suite struct CholeskySolveTests {
  @Test(arguments: Target.all) func residualIsRounding(target: Target) { target.run { residualIsRounding($0) } }

  func residualIsRounding<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 17)
    for d in [0] + Sizes.all + [6, 10, 11, 63, 64, 65] {
      for m in [0, 1, 8, 15, 17, 33] {
        let blocks = (0..<m).map { _ in random.positiveDefinite(d: d) }
        check(CholeskyBatch<T>(blocks, d: d, damping: 0.1, layout: .strided), v: random.normal(m * d))
      }
    }
  }

  @Test(arguments: Target.all) func residualIsRoundingOnManyThreads(target: Target) {
    target.run { residualIsRoundingOnManyThreads($0) }
  }

  func residualIsRoundingOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 18)
    let (d, m) = (66, 70)
    let blocks = (0..<m).map { _ in random.positiveDefinite(d: d) }
    let v = random.normal(m * d)
    for threads in Sizes.threads { check(CholeskyBatch<T>(blocks, d: d, damping: 0.1, threads: threads), v: v) }
  }

  @Test(arguments: Target.all) func conditionDoesNotMatterToTheResidual(target: Target) {
    target.run { conditionDoesNotMatterToTheResidual($0) }
  }

  func conditionDoesNotMatterToTheResidual<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 19)
    for d in [7, 30] {
      let blocks = (0..<9).map { _ in random.positiveDefinite(d: d, condition: T.precision == .float ? 1e4 : 1e12) }
      check(CholeskyBatch<T>(blocks, d: d, damping: 0), v: random.normal(9 * d))
    }
  }

  func check<T: KernelPrecision>(_ factored: CholeskyBatch<T>, v: [Double]) {
    expect(factored.status, T.self, factored.place)
    let d = factored.d
    let solution = factored.solve(v, layout: .strided)
    expect(
      factored.solve(v, layout: .strided, inPlace: true) == solution, T.self,
      "\(factored.place): in place it is something else")
    for (b, block) in factored.blocks.enumerated() {
      let row = b * d..<(b + 1) * d
      let error = Reference.backwardError(
        Reference.damped(block, d: d, damping: factored.damping), x: Array(solution[row]),
        v: T.precision.round(Array(v[row])), d: d)
      expect(
        error <= Tolerance.solve.relative(T.precision, terms: d), T.self,
        "\(factored.place) block \(b): backward error \(error)")
    }
  }
}
