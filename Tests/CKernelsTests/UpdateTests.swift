import CKernels
import FisherKitTestSupport
import Testing

@Suite struct UpdateTests {
  static let counts = [0] + Sizes.all + [1000]

  @Test(arguments: Target.all) func weightDecayLeavesTheBiasesAlone(target: Target) {
    target.run { weightDecayLeavesTheBiasesAlone($0) }
  }

  func weightDecayLeavesTheBiasesAlone<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 33)
    for d in [0] + Sizes.all {
      for m in [0, 1, 3, 17] {
        let g = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let w = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let before = g.elements
        let expected = Reference.weightDecay(g: before, w: w.elements, m: m, d: d, l2: 0.125)
        let status = T.kernels.addWeightDecay(
          g.pointer, g.leadingDimension, w.pointer, w.leadingDimension, m, d, 0.125)
        expect(status, type, "m \(m) d \(d)")
        expectIntact([g, w], "m \(m) d \(d)")
        let after = g.elements
        expect(close(T.self, after, expected, [before, w.elements]), type, "m \(m) d \(d)")
        for i in 0..<m where d > 0 {
          expect(after[i * d + d - 1] == before[i * d + d - 1], type, "m \(m) d \(d): bias \(i) decayed")
        }
      }
    }
  }

  @Test(arguments: Target.all) func sgdMatchesReference(target: Target) { target.run { sgdMatchesReference($0) } }

  func sgdMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 34)
    for d in [0] + Sizes.all + [1000] {
      for (m, l2) in [(0, 0.125), (1, 0), (3, 0.125), (17, 0.125), (80, 0.125)] {
        let w = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let g = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let before = w.elements
        let status = T.kernels.updateSGD(
          w.pointer, w.leadingDimension, g.pointer, g.leadingDimension, m, d, 0.1, l2)
        let place = "m \(m) d \(d) l2 \(l2)"
        expect(status, type, place)
        expectIntact([w, g], place)
        let decayed = Reference.weightDecay(g: g.elements, w: before, m: m, d: d, l2: l2)
        let expected = Reference.sgd(w: before, g: decayed, rate: 0.1)
        expect(close(T.self, w.elements, expected, [before, g.elements]), type, place)
      }
    }
  }

  @Test(arguments: Target.all) func momentumMatchesReference(target: Target) {
    target.run { momentumMatchesReference($0) }
  }

  func momentumMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for count in Self.counts {
      let (w, v, g) = (vector(type, count, 36), vector(type, count, 37), vector(type, count, 38))
      let before = [w, v, g].map(\.elements)
      let expected = Reference.momentum(w: before[0], v: before[1], g: before[2], rate: 0.1, momentum: 0.9)
      expect(T.kernels.updateMomentum(w.pointer, v.pointer, g.pointer, count, 0.1, 0.9), type, "count \(count)")
      expectIntact([w, v, g], "count \(count)")
      expect(close(T.self, v.elements, expected.v, before), type, "velocity, count \(count)")
      expect(close(T.self, w.elements, expected.w, before), type, "weights, count \(count)")
    }
  }

  /// The exponents of beta^t are the caller's: some steps, each with the corrections folded into rate and epsilon.
  @Test(arguments: Target.all) func adamMatchesReference(target: Target) { target.run { adamMatchesReference($0) } }

  func adamMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    let (rate, beta1, beta2, epsilon) = (0.01, 0.9, 0.999, 1e-8)
    for count in Self.counts {
      let (w, g) = (vector(type, count, 39), vector(type, count, 40))
      let first = GuardedMatrix<T>([Double](repeating: 0, count: count), rows: 1, columns: count, layout: .strided)
      let second = GuardedMatrix<T>([Double](repeating: 0, count: count), rows: 1, columns: count, layout: .strided)
      var correction = (first: 1.0, second: 1.0)
      for step in 1...3 {
        correction = (correction.first * beta1, correction.second * beta2)
        let root = (1 - correction.second).squareRoot()
        let (stepRate, stepEpsilon) = (rate * root / (1 - correction.first), epsilon * root)
        let before = [w, first, second, g].map(\.elements)
        let expected = Reference.adam(
          w: before[0], first: before[1], second: before[2], g: before[3], rate: stepRate,
          beta1: T.precision.round(beta1), beta2: T.precision.round(beta2), epsilon: stepEpsilon)
        let status = T.kernels.updateAdam(
          w.pointer, first.pointer, second.pointer, g.pointer, count, stepRate, beta1, beta2, stepEpsilon)
        let place = "count \(count) step \(step)"
        expect(status, type, place)
        expectIntact([w, first, second, g], place)
        expect(close(T.self, first.elements, expected.first, before), type, "first moment, \(place)")
        expect(close(T.self, second.elements, expected.second, [before[2]]), type, "second moment, \(place)")
        expect(close(T.self, w.elements, expected.w, [before[0], before[0].map { _ in 1 }]), type, "weights, \(place)")
      }
    }
  }

  @Test(arguments: Target.all) func adamWithoutAGradientStaysPut(target: Target) {
    target.run { adamWithoutAGradientStaysPut($0) }
  }

  func adamWithoutAGradientStaysPut<T: KernelPrecision>(_ type: T.Type) {
    var (w, first, second): ([T], [T], [T]) = ([1, -2, 3], [0, 0, 0], [0, 0, 0])
    let g: [T] = [0, 0, 0]
    expect(T.kernels.updateAdam(&w, &first, &second, g, 3, 0.1, 0.9, 0.999, 1e-8), type, "zero gradient")
    expect(w == [1, -2, 3], type, "zero gradient: \(w)")
  }

  func vector<T: KernelPrecision>(_ type: T.Type, _ count: Int, _ seed: UInt64) -> GuardedMatrix<T> {
    var random = SplitMix64(seed: seed)
    return GuardedMatrix<T>(random.normal(count), rows: 1, columns: count, layout: .strided)
  }

  /// Each element relative to the sum of its operands' magnitudes and its own.
  func close<T: KernelPrecision>(
    _ type: T.Type, _ actual: [Double], _ expected: [Double], _ operands: [[Double]]
  ) -> Comparison {
    let scales = expected.indices.map { i in operands.reduce(abs(expected[i])) { $0 + abs($1[i]) } }
    return Comparison.elementwise(
      actual, expected, scales: scales, tolerance: Tolerance.update.relative(T.precision))
  }
}
