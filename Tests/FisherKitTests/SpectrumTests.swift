import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// What the eigenvalues say, and the structure that matrices must have.
@Suite struct SpectrumTests {
  /// As many eigenvalues count as are above the order times a rounding unit of the largest.
  @Test func rank() {
    for unit in [0x1p-52, 0x1p-23] {
      let spectrum = Spectrum([0, 8, 31 * unit, 33 * unit], unit: unit)
      #expect(spectrum.rank() == 2 && spectrum.rank(tolerance: 0) == 3 && spectrum.rank(tolerance: 0.5) == 1)
    }
  }

  @Test func quantities() {
    let spectrum = Spectrum([2, 0, 8, 0.5])
    #expect(spectrum.eigenvalues == [0, 0.5, 2, 8])
    #expect(spectrum.smallest == 0 && spectrum.largest == 8 && spectrum.trace == 10.5 && spectrum.rank() == 3)
    #expect(abs(spectrum.logDeterminant(damping: 0.5) - log(0.5 * 1 * 2.5 * 8.5)) < 1e-14)
    #expect(spectrum.logDeterminant(damping: 0) == -.infinity)
    #expect(abs(spectrum.effectiveDimension(damping: 0.5) - (0.5 + 2 / 2.5 + 8 / 8.5)) < 1e-14)
    #expect(spectrum.conditionNumber(damping: 0.5) == 17 && spectrum.conditionNumber() == .infinity)
    #expect(spectrum.rank(tolerance: 0.1) == 2)
    #expect(Spectrum([]).rank() == 0 && Spectrum([]).largest == 0)
  }

  /// A diagonal matrix that an orthogonal one has turned.
  @Test(arguments: [1, 2, 7, 40]) func eigenvaluesOfAKnownMatrix(d: Int) throws {
    var random = SplitMix64(seed: 31)
    let eigenvalues = (0..<d).map { pow(0.7, Double($0)) }
    let matrix = random.symmetric(eigenvalues: eigenvalues)
    // As the Gram matrix of the rows of a square root: L from L Lᵀ.
    let l = try Reference.cholesky(matrix, d: d, damping: 0).get()
    let rows = (0..<d).flatMap { s in (0..<d).map { l[$0 * d + s] * Double(d).squareRoot() } }
    let fisher = try LinearLayer().rfim(
      inputs: .make(rows, rows: d, columns: d),
      preactivations: Matrix<Double>.make(Array(repeating: 0, count: d), rows: d, columns: 1))
    let found = try fisher.spectrum().eigenvalues
    #expect(Comparison.normwise(found, eigenvalues.sorted(), tolerance: 1e-13).isAllowed)
  }

  /// One neuron's own spectrum, and all of a layer's.
  @Test func layerIsTheUnionOfItsNeurons() throws {
    let sample = Sample(n: 9, d: 4, m: 3, seed: 32)
    for subsystem in [NonlinearLayer(Tanh()), try LinearLayer(sigma: 2)] as [any Subsystem] {
      let fisher = try subsystem.rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
      let each = try (0..<3).flatMap { try fisher.spectrum(ofNeuron: $0).eigenvalues }.sorted()
      let all = try fisher.spectrum().eigenvalues
      #expect(all.count == 12 && Comparison.normwise(all, each, tolerance: 1e-14).isAllowed)
      #expect(abs(try fisher.trace() - all.reduce(0, +)) < 1e-13)
    }
  }

  /// Equal shifts of all w_i change no probability: d directions of the null space, and no more where samples abound.
  @Test func nullSpaceOfASoftmax() throws {
    let (n, d, m) = (50, 4, 5)
    let sample = Sample(n: n, d: d, m: m, seed: 33)
    let fisher = try SoftmaxLayer().rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    #expect(try fisher.spectrum().rank() == (m - 1) * d)
    var random = SplitMix64(seed: 34)
    let shift = random.normal(d)
    let step = try Matrix<Double>.make((0..<m).flatMap { _ in shift }, rows: m, columns: d)
    #expect(abs(try fisher.quadraticForm(step)) < 1e-13)
    #expect(try fisher.spectrum().smallest > -1e-13)
  }

  /// The rank is at most n D_y, and reaches it; by the dense matrix and by the small one alike.
  @Test(arguments: [(2, 2), (3, 1), (4, 3)]) func rankOfTwoLayers(n: Int, outputs: Int) throws {
    let (d, m) = (6, 5)
    let sample = Sample(n: n, d: d, m: m, seed: 35)
    var random = SplitMix64(seed: 36)
    let fisher = try TwoLayers(hidden: Tanh(), outer: NonlinearLayer(Tanh())).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations(),
      outerWeights: .make(random.normal(outputs * (m + 1)), rows: outputs, columns: m + 1))
    let spectrum = try fisher.spectrum()
    #expect(spectrum.eigenvalues.count == m * d && spectrum.rank() == n * outputs)
    #expect(spectrum.smallest > -1e-13)
    // The dense matrix M as the samples of a linear layer: that layer's block is MᵀM, the squares.
    let dense = try fisher.dense()
    let squares = try LinearLayer(sigma: 1 / Double(m * d).squareRoot()).rfim(
      inputs: dense, preactivations: try Matrix<Double>(rows: m * d, columns: 1)
    ).spectrum()
    let expected = spectrum.eigenvalues.map { $0 * $0 }.sorted()
    #expect(Comparison.normwise(squares.eigenvalues, expected, tolerance: 1e-12).isAllowed)
  }

  @Test func linearLayerIsANonlinearOneOfConstantNu() throws {
    let sample = Sample(n: 6, d: 3, m: 2, seed: 37)
    let shared = try LinearLayer().rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    let blocks = try NonlinearLayer(Linear()).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    #expect(Comparison.normwise(try shared.numbers, try blocks.numbers, tolerance: 1e-14).isAllowed)
  }

  /// Inputs x̃ re-expressed as Ax̃, and weights as A⁻ᵀw: the step without damping is the same step.
  @Test func naturalGradientIsInvariant() throws {
    let (n, d, m) = (30, 3, 2)
    let sample = Sample(n: n, d: d, m: m, seed: 38)
    let a: [Double] = [2, 1, 0, 0.5, -1, 0.3, 0, 0.2, 1]
    let mixed = Reference.gemm(a: sample.x, b: a, transposeB: true, m: n, n: d, k: d)
    let z = try sample.preactivations(Double.self)
    let before = try NonlinearLayer(Tanh()).rfim(inputs: sample.inputs(Double.self), preactivations: z)
    let after = try NonlinearLayer(Tanh()).rfim(inputs: .make(mixed, rows: n, columns: d), preactivations: z)
    var random = SplitMix64(seed: 39)
    let delta = random.normal(n * m)
    // ∂L/∂W = δᵀX̃ in either coordinates
    var step = try Matrix<Double>.make(
      Reference.gemm(a: delta, transposeA: true, b: sample.x, m: m, n: d, k: n), rows: m, columns: d)
    var mixedStep = try Matrix<Double>.make(
      Reference.gemm(a: delta, transposeA: true, b: mixed, m: m, n: d, k: n), rows: m, columns: d)
    try before.solve(&step, damping: 0)
    try after.solve(&mixedStep, damping: 0)
    // w'ᵀAx̃ = wᵀx̃: the pre-activations move alike.
    let moved = Reference.gemm(a: sample.x, b: step.numbers, transposeB: true, m: n, n: m, k: d)
    let mixedMoved = Reference.gemm(a: mixed, b: mixedStep.numbers, transposeB: true, m: n, n: m, k: d)
    #expect(Comparison.normwise(mixedMoved, moved, tolerance: 1e-11).isAllowed)
  }

  /// Half the quadratic form is the divergence of a small step, to second order.
  @Test func predictedDivergence() throws {
    let (n, d, m) = (8, 3, 4)
    let sample = Sample(n: n, d: d, m: m, seed: 40)
    let fisher = try SoftmaxLayer().rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    var random = SplitMix64(seed: 41)
    let direction = random.normal(m * d)
    func divergence(_ size: Double) -> Double {
      let w = zip(sample.w, direction).map { $0 + size * $1 }
      return (0..<n).reduce(0) { sum, s in
        let p = Reference.softmax(z: sample.preactivations(s, sample.w), n: 1, m: m).eta
        let q = Reference.softmax(z: sample.preactivations(s, w), n: 1, m: m).eta
        return sum + zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) } / Double(n)
      }
    }
    for size in [1e-2, 1e-3] {
      let step = try Matrix<Double>.make(direction.map { size * $0 }, rows: m, columns: d)
      let predicted = try fisher.predictedKL(ofStep: step)
      #expect(abs(predicted / divergence(size) - 1) < 30 * size, "step \(size)")
    }
  }

  /// Rounding does not count as rank, in either precision.
  @Test func rankInFloat() throws {
    let sample = Sample(n: 4, d: 12, m: 1, seed: 97)
    func rank<S: KernelScalar>(_: S.Type) throws -> (Int, Int) {
      let fisher = try NonlinearLayer(Tanh()).rfim(
        inputs: sample.inputs(S.self), preactivations: sample.preactivations())
      return (try fisher.spectrum().rank(), try fisher.spectrum(ofNeuron: 0).rank())
    }
    #expect(try rank(Double.self) == (4, 4))
    #expect(try rank(Float.self) == (4, 4))
  }
}
