import CKernels
import FisherKitTestSupport
import Testing

/// No kernel's result depends on where the rows of its matrices lie: aligned or not, with gaps or without, near or so
/// far apart that an offset does not fit 32 bits.
@Suite struct PlacementTests {
  @Test(arguments: Target.all) func activations(target: Target) { target.run { activations($0) } }

  func activations<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (3, 21)
    var random = SplitMix64(seed: 61)
    let (values, gradient) = (random.normal(n * m), random.normal(n * m))
    for activation in [Reference.Activation.tanh, .relu(iota: 0.1, omega: 2), .elu(alpha: 1)] {
      compare(type, "\(activation)") { place in
        let z = place.rows(values, n, m) as Rows<T>
        let outputs = (0..<3).map { _ in place.rows(nil, n, m) as Rows<T> }
        let delta = place.rows(gradient, n, m) as Rows<T>
        let argument = activation.kernelArgument
        expect(
          T.kernels.activation(
            outputs[0].pointer, outputs[0].leadingDimension, outputs[1].pointer, outputs[1].leadingDimension,
            outputs[2].pointer, outputs[2].leadingDimension, z.pointer, z.leadingDimension, n, m, argument, 1), type,
          "\(place)")
        expect(
          T.kernels.activationBackward(
            delta.pointer, delta.leadingDimension, z.pointer, z.leadingDimension, n, m, argument, 1), type, "\(place)")
        return outputs.flatMap { $0.elements() } + delta.elements()
      }
    }
  }

  @Test(arguments: Target.all) func grams(target: Target) { target.run { grams($0) } }

  func grams<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (3, 18, 19)
    var random = SplitMix64(seed: 62)
    let (samples, weights) = (random.samples(n: n, d: d), random.uniform(n * m, in: 0...1))
    compare(type, "grams") { place in
      let x = place.rows(samples, n, d) as Rows<T>
      let nu = place.rows(weights, n, m) as Rows<T>
      let g = place.rows(nil, 1, T.kernels.blockBatchCount(d, m)) as Rows<T>
      let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1))
      for beta in [0, 0.5] {
        expect(
          T.kernels.gramWeightedBatch(
            g.pointer, x.pointer, x.leadingDimension, nu.pointer, nu.leadingDimension, n, d, m, 0.7, beta,
            work.pointer, work.size, 1), type, "\(place)")
      }
      return g.elements()
    }
  }

  @Test(arguments: Target.all) func choleskys(target: Target) { target.run { choleskys($0) } }

  func choleskys<T: KernelPrecision>(_ type: T.Type) {
    let (d, m) = (18, 4)
    var random = SplitMix64(seed: 63)
    let batch = BatchMinor(d: d, count: m, precision: T.precision)
    let blocks = batch.pack((0..<m).map { _ in random.positiveDefinite(d: d) })
    let right = random.normal(m * d)
    compare(type, "d \(d) m \(m)") { place in
      let g = place.rows(blocks, 1, batch.elementCount) as Rows<T>
      let v = place.rows(right, m, d) as Rows<T>
      let solution = place.rows(nil, m, d) as Rows<T>
      let work = WorkSpace(T.kernels.choleskyBatchSolveWorkSize(d, m, 1))
      expect(T.kernels.choleskyBatch(g.pointer, nil, nil, d, m, 0.5, 0.1, 1), type, "\(place)")
      expect(
        T.kernels.choleskyBatchSolve(
          solution.pointer, solution.leadingDimension, g.pointer, v.pointer, v.leadingDimension, d, m, work.pointer,
          work.size, 1), type, "\(place)")
      return g.elements() + solution.elements()
    }
  }

  @Test(arguments: Target.all) func softmaxes(target: Target) { target.run { softmaxes($0) } }

  func softmaxes<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (3, 2, 3)
    var random = SplitMix64(seed: 64)
    let (logits, samples) = (random.normal(n * m), random.samples(n: n, d: d))
    let labels: [Int32] = [2, 0, 1]
    compare(type, "n \(n) d \(d) m \(m)") { place in
      let z = place.rows(logits, n, m) as Rows<T>
      let outputs = (0..<3).map { _ in place.rows(nil, n, m) as Rows<T> }
      let (eta, nu, delta) = (outputs[0], outputs[1], outputs[2])
      expect(
        T.kernels.softmax(
          eta.pointer, eta.leadingDimension, nu.pointer, nu.leadingDimension, z.pointer, z.leadingDimension, n, m, 1),
        type, "\(place)")
      var loss = 0.0
      expect(
        T.kernels.softmaxCrossEntropy(
          &loss, nil, delta.pointer, delta.leadingDimension, z.pointer, z.leadingDimension, labels, n, m, 0.5), type,
        "\(place)")
      let x = place.rows(samples, n, d) as Rows<T>
      let block = place.rows(nil, m * d, m * d) as Rows<T>
      let work = WorkSpace(T.kernels.softmaxBlockDenseWorkSize(n, d, m, 1))
      expect(
        T.kernels.softmaxBlockDense(
          block.pointer, block.leadingDimension, x.pointer, x.leadingDimension, eta.pointer, eta.leadingDimension, n,
          d, m, 1, work.pointer, work.size, 1), type, "\(place)")
      return [loss] + outputs.flatMap { $0.elements() } + block.elements()
    }
  }

  @Test(arguments: Target.all) func trainingKernels(target: Target) { target.run { trainingKernels($0) } }

  func trainingKernels<T: KernelPrecision>(_ type: T.Type) {
    let (n, width) = (3, 21)
    var random = SplitMix64(seed: 65)
    let bytes = (0..<5 * width).map { UInt8(($0 * 37) % 256) }
    let floats = random.normal(5 * width).map { Float($0) }
    let (weights, gradient) = (random.normal(n * width), random.normal(n * width))
    compare(type, "n \(n)") { place in
      let fromBytes = place.rows(nil, n, width + 1) as Rows<T>
      let fromFloats = place.rows(nil, n, width + 1) as Rows<T>
      let rows: [Int32] = [4, 0, 2]
      expect(
        T.kernels.gatherBytes(fromBytes.pointer, fromBytes.leadingDimension, bytes, rows, n, width, 0.25, 1), type,
        "\(place)")
      expect(
        T.kernels.gatherFloats(fromFloats.pointer, fromFloats.leadingDimension, floats, rows, n, width, 0.25, 1), type,
        "\(place)")
      let w = place.rows(weights, n, width) as Rows<T>
      let g = place.rows(gradient, n, width) as Rows<T>
      expect(
        T.kernels.addWeightDecay(g.pointer, g.leadingDimension, w.pointer, w.leadingDimension, n, width, 0.1), type,
        "\(place)")
      expect(
        T.kernels.updateSGD(w.pointer, w.leadingDimension, g.pointer, g.leadingDimension, n, width, 0.1, 0.2), type,
        "\(place)")
      let copy = place.rows(nil, n, width) as Rows<T>
      var squares = [Double](repeating: 0, count: n)
      expect(
        T.kernels.takeGradient(
          &squares, copy.pointer, copy.leadingDimension, g.pointer, g.leadingDimension, w.pointer, w.leadingDimension,
          n, width, 0.3), type, "\(place)")
      let stepped = w.elements()
      var isFinite: Int32 = 7
      expect(T.kernels.allFinite(&isFinite, w.pointer, w.leadingDimension, n, width), type, "\(place)")
      (w.pointer + (n - 1) * w.leadingDimension + width - 1).pointee = .infinity
      var isFiniteNow: Int32 = 7
      expect(T.kernels.allFinite(&isFiniteNow, w.pointer, w.leadingDimension, n, width), type, "\(place)")
      return fromBytes.elements() + fromFloats.elements() + g.elements() + stepped + copy.elements() + squares + [
        Double(isFinite), Double(isFiniteNow),
      ]
    }
  }

  @Test(arguments: Target.all) func batchNorms(target: Target) { target.run { batchNorms($0) } }

  func batchNorms<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (3, 21)
    var random = SplitMix64(seed: 67)
    let (samples, parameters, gradient) = (random.normal(n * m), random.normal(2 * m), random.normal(n * m))
    compare(type, "batch normalisation") { place in
      let x = place.rows(samples, n, m) as Rows<T>
      let w = place.rows(parameters, m, 2) as Rows<T>
      let delta = place.rows(gradient, n, m) as Rows<T>
      let outputs = (0..<3).map { _ in place.rows(nil, n, m) as Rows<T> }
      let (y, xhat, evaluated) = (outputs[0], outputs[1], outputs[2])
      let g = place.rows(nil, m, 2) as Rows<T>
      let statistics = (0..<3).map { _ in place.rows(nil, 1, m) as Rows<T> }
      expect(
        T.kernels.batchNormForward(
          y.pointer, y.leadingDimension, xhat.pointer, xhat.leadingDimension, statistics[0].pointer,
          statistics[1].pointer, statistics[2].pointer, x.pointer, x.leadingDimension, w.pointer, w.leadingDimension, n,
          m, 1e-3, 1), type, "\(place)")
      expect(
        T.kernels.batchNormBackward(
          delta.pointer, delta.leadingDimension, g.pointer, g.leadingDimension, delta.pointer, delta.leadingDimension,
          xhat.pointer, xhat.leadingDimension, statistics[2].pointer, w.pointer, w.leadingDimension, n, m, 1), type,
        "\(place)")
      expect(
        T.kernels.batchNormEvaluate(
          evaluated.pointer, evaluated.leadingDimension, x.pointer, x.leadingDimension, statistics[0].pointer,
          statistics[1].pointer, w.pointer, w.leadingDimension, n, m, 1e-3, 1), type, "\(place)")
      return (outputs + statistics + [delta, g]).flatMap { $0.elements() }
    }
  }

  /// Updates are vectors: they can be misaligned only.
  @Test(arguments: Target.all) func updates(target: Target) { target.run { updates($0) } }

  func updates<T: KernelPrecision>(_ type: T.Type) {
    let count = 37
    var random = SplitMix64(seed: 66)
    let start = (0..<4).map { _ in random.uniform(count, in: 0...1) }
    for placement in [Placement.packed, .strided] {
      let v = start.map { placement.rows($0, 1, count) as Rows<T> }
      expect(T.kernels.updateMomentum(v[0].pointer, v[1].pointer, v[3].pointer, count, 0.1, 0.9), type, "\(placement)")
      expect(
        T.kernels.updateAdam(
          v[0].pointer, v[1].pointer, v[2].pointer, v[3].pointer, count, 0.1, 0.9, 0.999, 1e-8), type, "\(placement)")
      let packed = start.map { Placement.packed.rows($0, 1, count) as Rows<T> }
      _ = T.kernels.updateMomentum(packed[0].pointer, packed[1].pointer, packed[3].pointer, count, 0.1, 0.9)
      _ = T.kernels.updateAdam(
        packed[0].pointer, packed[1].pointer, packed[2].pointer, packed[3].pointer, count, 0.1, 0.9, 0.999, 1e-8)
      expectIdentical(v.flatMap { $0.elements() }, packed.flatMap { $0.elements() }, type, "\(placement)")
    }
  }

  func compare<T: KernelPrecision>(_ type: T.Type, _ name: String, _ run: (Placement) -> [Double]) {
    let expected = run(.packed)
    expect(expected.contains { $0 != 0 }, type, "\(name): nothing was computed")
    for placement in Placement.allCases { expectIdentical(run(placement), expected, type, "\(name) \(placement)") }
  }
}
