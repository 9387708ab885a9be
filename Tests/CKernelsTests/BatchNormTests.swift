import CKernels
import TestSupport
import Testing

/// Batch normalisation against its definition, at every CPU level, in both precisions, on any number of threads.
@Suite struct BatchNormTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 71)
    let shapes = Sizes.all.map { (n: 9, m: $0) } + Sizes.small.map { (n: $0, m: 5) } + [(1000, 3), (64, 200), (65, 70)]
    for (n, m) in shapes {
      let x = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m, layout: .strided)
      let scales = GuardedMatrix<T>(random.normal(2 * m), rows: m, columns: 2, layout: .strided)
      let y = GuardedMatrix<T>(rows: n, columns: m, layout: .strided)
      let normalized = GuardedMatrix<T>(rows: n, columns: m, layout: .strided)
      let fixed = GuardedMatrix<T>(rows: n, columns: m, layout: .strided)
      let (mean, variance) = (GuardedMatrix<T>(rows: 1, columns: m), GuardedMatrix<T>(rows: 1, columns: m))
      let delta = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m, layout: .strided)
      let gradient = GuardedMatrix<T>(rows: m, columns: 2, layout: .strided)
      let before = delta.elements
      let place = "n \(n) m \(m)"
      expect(
        T.kernels.batchNorm(
          y.pointer, y.leadingDimension, normalized.pointer, normalized.leadingDimension, mean.pointer,
          variance.pointer, x.pointer, x.leadingDimension, scales.pointer, scales.leadingDimension, n, m, 0.01, 2),
        type, place)
      expect(
        T.kernels.batchNormBackward(
          delta.pointer, delta.leadingDimension, gradient.pointer, gradient.leadingDimension, normalized.pointer,
          normalized.leadingDimension, variance.pointer, scales.pointer, scales.leadingDimension, n, m, 0.01, 2),
        type, place)
      expect(
        T.kernels.batchNormFixed(
          fixed.pointer, fixed.leadingDimension, mean.pointer, variance.pointer, x.pointer, x.leadingDimension,
          scales.pointer, scales.leadingDimension, n, m, 0.01, 2), type, place)
      expectIntact([x, scales, y, normalized, fixed, mean, variance, delta, gradient], place)
      let expected = Reference.batchNorm(x: x.elements, n: n, m: m, scales: scales.elements, epsilon: 0.01)
      let backward = Reference.batchNormBackward(
        delta: before, x: x.elements, n: n, m: m, scales: scales.elements, epsilon: 0.01)
      for (what, found, wanted) in [
        ("y", y.elements, expected.y), ("normalised", normalized.elements, expected.normalized),
        ("mean", mean.elements, expected.mean), ("variance", variance.elements, expected.variance),
        ("fixed", fixed.elements, expected.y), ("delta", delta.elements, backward.delta),
        ("gradient", gradient.elements, backward.gradient),
      ] {
        // Relative to the largest: with a variance that is small beside ε nothing grows more than ten times.
        let scale = max(1, wanted.map(abs).max() ?? 0, before.map(abs).max() ?? 0)
        let allowed = 200 * T.precision.unitRoundoff * scale * Double(max(n, 16)).squareRoot()
        for (a, b) in zip(found, wanted) where !(abs(a - b) <= allowed) {
          expect(false, type, "\(place) \(what): \(a), expected \(b)")
        }
      }
    }
  }

  /// Means of many samples far from zero.
  @Test(arguments: Target.all) func manySamples(target: Target) { target.run { manySamples($0) } }

  func manySamples<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 72)
    let (n, m) = (20_000, 3)
    let x = GuardedMatrix<T>(random.normal(n * m).map { $0 + 30 }, rows: n, columns: m)
    let scales = GuardedMatrix<T>([1, 0, 1, 0, 1, 0], rows: m, columns: 2)
    let (y, normalized) = (GuardedMatrix<T>(rows: n, columns: m), GuardedMatrix<T>(rows: n, columns: m))
    let (mean, variance) = (GuardedMatrix<T>(rows: 1, columns: m), GuardedMatrix<T>(rows: 1, columns: m))
    expect(
      T.kernels.batchNorm(
        y.pointer, m, normalized.pointer, m, mean.pointer, variance.pointer, x.pointer, m, scales.pointer, 2, n, m,
        1e-3, 0), type, "")
    let expected = Reference.batchNorm(x: x.elements, n: n, m: m, scales: scales.elements, epsilon: 1e-3)
    for (found, wanted) in zip(mean.elements + variance.elements, expected.mean + expected.variance) {
      expect(abs(found / wanted - 1) < 100 * T.precision.unitRoundoff, type, "\(found), expected \(wanted)")
    }
  }

  @Test(arguments: Target.all) func threadsAreTheSame(target: Target) { target.run { threadsAreTheSame($0) } }

  func threadsAreTheSame<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 73)
    let (n, m) = (500, 230)
    let (x, scales) = (random.normal(n * m), random.normal(2 * m))
    var results: [[Double]] = []
    for threads in Sizes.threads {
      let (input, scale) = (GuardedMatrix<T>(x, rows: n, columns: m), GuardedMatrix<T>(scales, rows: m, columns: 2))
      let (y, normalized) = (GuardedMatrix<T>(rows: n, columns: m), GuardedMatrix<T>(rows: n, columns: m))
      let (mean, variance) = (GuardedMatrix<T>(rows: 1, columns: m), GuardedMatrix<T>(rows: 1, columns: m))
      let gradient = GuardedMatrix<T>(rows: m, columns: 2)
      expect(
        T.kernels.batchNorm(
          y.pointer, m, normalized.pointer, m, mean.pointer, variance.pointer, input.pointer, m, scale.pointer, 2, n,
          m, 1e-3, threads), type, "")
      expect(
        T.kernels.batchNormBackward(
          input.pointer, m, gradient.pointer, 2, normalized.pointer, m, variance.pointer, scale.pointer, 2, n, m, 1e-3,
          threads), type, "")
      results.append(y.elements + mean.elements + variance.elements + gradient.elements + input.elements)
    }
    for result in results { expect(result == results[0], type, "threads differ") }
  }

  @Test func arguments() {
    let memory = GuardedMatrix<Float>(rows: 4, columns: 16)
    let p = memory.pointer
    let kernels = Float.kernels
    for (name, status) in [
      ("n 0", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, p, 4, 0, 3, 1, 1)),
      ("m negative", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, p, 4, 2, -1, 1, 1)),
      ("epsilon 0", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, p, 4, 2, 3, 0, 1)),
      ("epsilon NaN", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, p, 4, 2, 3, .nan, 1)),
      ("Y NULL", kernels.batchNorm(nil, 4, p, 4, p, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("N NULL", kernels.batchNorm(p, 4, nil, 4, p, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("mean NULL", kernels.batchNorm(p, 4, p, 4, nil, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("variance NULL", kernels.batchNorm(p, 4, p, 4, p, nil, p, 4, p, 4, 2, 3, 1, 1)),
      ("X NULL", kernels.batchNorm(p, 4, p, 4, p, p, nil, 4, p, 4, 2, 3, 1, 1)),
      ("S NULL", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, nil, 4, 2, 3, 1, 1)),
      ("ldy", kernels.batchNorm(p, 2, p, 4, p, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("lds", kernels.batchNorm(p, 4, p, 4, p, p, p, 4, p, 1, 2, 3, 1, 1)),
      ("backward: D NULL", kernels.batchNormBackward(nil, 4, p, 4, p, 4, p, p, 4, 2, 3, 1, 1)),
      ("backward: G NULL", kernels.batchNormBackward(p, 4, nil, 4, p, 4, p, p, 4, 2, 3, 1, 1)),
      ("backward: ldg", kernels.batchNormBackward(p, 4, p, 1, p, 4, p, p, 4, 2, 3, 1, 1)),
      ("backward: n 0", kernels.batchNormBackward(p, 4, p, 4, p, 4, p, p, 4, 0, 3, 1, 1)),
      ("fixed: Y NULL", kernels.batchNormFixed(nil, 4, p, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("fixed: mean NULL", kernels.batchNormFixed(p, 4, nil, p, p, 4, p, 4, 2, 3, 1, 1)),
      ("fixed: epsilon", kernels.batchNormFixed(p, 4, p, p, p, 4, p, 4, 2, 3, -1, 1)),
    ] { #expect(status == FK_INVALID_ARGUMENT, "\(name)") }
    #expect(kernels.batchNorm(p, .max, p, 4, p, p, p, 4, p, 4, .max, 3, 1, 1) == FK_SIZE_OVERFLOW)
    let isUntouched = memory.elements.allSatisfy { $0.isNaN }
    #expect(isUntouched)
  }
}
