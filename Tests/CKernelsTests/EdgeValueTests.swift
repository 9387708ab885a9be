import CKernels
import FisherKitTestSupport
import Testing

/// Zeros and denormal numbers: neither flushed to zero nor taken for something else.
@Suite struct EdgeValueTests {
  @Test(arguments: Target.all) func denormalsAreNotFlushed(target: Target) {
    target.run { denormalsAreNotFlushed($0) }
  }

  func denormalsAreNotFlushed<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (40, 6, 19)
    var random = SplitMix64(seed: 81)
    let normal = T.precision.smallestNormal
    // inputs whose products are denormal; denormal ν; denormal inputs with a ν that brings them back
    for (inputs, weights) in [(normal.squareRoot() / 8, 1.0), (1, normal / 64), (normal / 4, 1 / normal.squareRoot())] {
      let x = GuardedMatrix<T>(random.uniform(n * d, in: 1...2).map { inputs * $0 }, rows: n, columns: d)
      let nu = GuardedMatrix<T>(random.uniform(n * m, in: 1...2).map { weights * $0 }, rows: n, columns: m)
      let batch = BatchMinor(d: d, count: m, precision: T.precision)
      let g = GuardedMatrix<T>(rows: 1, columns: batch.elementCount)
      let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1))
      expect(
        T.kernels.gramWeightedBatch(g.pointer, x.pointer, d, nu.pointer, m, n, d, m, 1, 0, work.pointer, work.size, 1),
        type, "inputs \(inputs) nu \(weights)")
      let expected = Reference.weightedGram(x: x.elements, nu: nu.elements, n: n, d: d, m: m)
      let storage = g.elements
      for neuron in 0..<m {
        // products x x underflow before ν multiplies them: half a denormal each, times ν
        let floor = Double(n) * T.precision.smallestDenormal * max(1, 2 * weights)
        let comparison = Comparison.elementwise(
          batch.symmetric(neuron, of: storage), expected[neuron], floor: floor,
          tolerance: Tolerance.gram.relative(T.precision, terms: n))
        expect(comparison, type, "inputs \(inputs) nu \(weights) neuron \(neuron)")
        if weights * inputs * inputs > 0x1p20 * floor {
          expect(storage.contains { $0 > 0 }, type, "inputs \(inputs) nu \(weights): all was flushed to zero")
        }
      }
    }
  }

  /// ν = 0 for all samples, or X = 0: blocks of zeros, and v/λ to rounding.
  @Test(arguments: Target.all) func aDeadLayerIsSolvedByItsDamping(target: Target) {
    target.run { aDeadLayerIsSolvedByItsDamping($0) }
  }

  func aDeadLayerIsSolvedByItsDamping<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (30, 18, 21)
    var random = SplitMix64(seed: 82)
    let tiny = T.precision.smallestDenormal
    for (name, inputs, weights) in [
      ("nu 0", random.samples(n: n, d: d), [Double](repeating: 0, count: n * m)),
      ("nu -0", random.samples(n: n, d: d), [Double](repeating: -0.0, count: n * m)),
      ("X 0", [Double](repeating: 0, count: n * d), random.uniform(n * m, in: 0...1)),
      ("nu denormal", random.samples(n: n, d: d), [Double](repeating: tiny, count: n * m)),
      ("X denormal", [Double](repeating: tiny, count: n * d), [Double](repeating: 1, count: n * m)),
    ] {
      let x = GuardedMatrix<T>(inputs, rows: n, columns: d, layout: .strided)
      let nu = GuardedMatrix<T>(weights, rows: n, columns: m, layout: .strided)
      let batch = BatchMinor(d: d, count: m, precision: T.precision)
      let g = GuardedMatrix<T>(rows: 1, columns: batch.elementCount)
      let gram = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1))
      expect(
        T.kernels.gramWeightedBatch(
          g.pointer, x.pointer, x.leadingDimension, nu.pointer, nu.leadingDimension, n, d, m, 1, 0, gram.pointer,
          gram.size, 1), type, name)
      if !name.contains("denormal") { expect(g.elements.allSatisfy { $0 == 0 }, type, "\(name): not zero") }
      for damping in [1e-20, 0.005, 3] {
        let factors = CholeskyBatch<T>(
          (0..<m).map { batch.symmetric($0, of: g.elements) }, d: d, scale: 1 / Double(n), damping: damping)
        expect(factors.status, type, "\(name) damping \(damping)")
        let v = random.normal(m * d)
        let lambda = T.precision.round(damping)
        let comparison = Comparison.elementwise(
          factors.solve(v), T.precision.round(v).map { $0 / lambda },
          tolerance: Tolerance.solve.relative(T.precision))
        expect(comparison, type, "\(name) damping \(damping)")
      }
    }
  }
}
