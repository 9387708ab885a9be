import CKernels
import FisherKitTestSupport
import Testing

@Suite struct GramTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    for d in Sizes.all {
      for m in [1, 7, 8, 9, 16, 17, 33] {
        for n in [1, 2, 5, 40] { GramBatch<T>(n: n, d: d, m: m).check() }
      }
    }
    for m in Sizes.all + [47, 48, 49] { GramBatch<T>(n: 6, d: 5, m: m, layout: .strided).check() }
    for n in Sizes.all { GramBatch<T>(n: n, d: 6, m: 3, layout: .strided).check() }
  }

  /// Above the work worth a second thread; the chunks of 128 samples and panels of 192 elements have ends inside.
  @Test(arguments: Target.all) func matchesReferenceOnManyThreads(target: Target) {
    target.run { matchesReferenceOnManyThreads($0) }
  }

  func matchesReferenceOnManyThreads<T: KernelPrecision>(_ type: T.Type) {
    for threads in Sizes.threads {
      for (n, d, m) in [(40, 20, 50), (127, 19, 17), (128, 20, 16), (257, 33, 8), (600, 29, 5)] {
        GramBatch<T>(n: n, d: d, m: m, threads: threads, layout: .strided).check()
      }
    }
    GramBatch<T>(n: 40, d: 20, m: 50, threads: 0).check()
    GramBatch<T>(n: 30, d: 150, m: 20, threads: 2).check(neurons: [0, 7, 19])
  }

  /// nu is packed for 8192 samples at a time.
  @Test(arguments: Target.all) func samplesBeyondOnePackedBlockAreAdded(target: Target) {
    target.run { samplesBeyondOnePackedBlockAreAdded($0) }
  }

  func samplesBeyondOnePackedBlockAreAdded<T: KernelPrecision>(_ type: T.Type) {
    for n in [8191, 8192, 8193, 16400] {
      for beta in [0, 0.5] { GramBatch<T>(n: n, d: 3, m: 9, alpha: 1 / Double(n), beta: beta, threads: 2).check() }
    }
  }

  @Test(arguments: Target.all) func alphaAndBetaScale(target: Target) { target.run { alphaAndBetaScale($0) } }

  func alphaAndBetaScale<T: KernelPrecision>(_ type: T.Type) {
    for alpha in [0, 0.01, 1, -2] {
      for beta in [0, 1, 0.995, -0.5] {
        for (n, d, m) in [(1, 1, 1), (7, 5, 9), (300, 6, 17), (60, 21, 33)] {
          GramBatch<T>(n: n, d: d, m: m, alpha: alpha, beta: beta, threads: 2, layout: .strided).check()
        }
      }
    }
  }

  @Test(arguments: Target.all) func sumOverNoSamplesIsEmpty(target: Target) {
    target.run { sumOverNoSamplesIsEmpty($0) }
  }

  func sumOverNoSamplesIsEmpty<T: KernelPrecision>(_ type: T.Type) {
    for beta in [0, 1, 0.5] { GramBatch<T>(n: 0, d: 5, m: 19, beta: beta).check() }
    GramBatch<T>(n: 4, d: 0, m: 3).check()
    GramBatch<T>(n: 4, d: 3, m: 0).check()
  }

  @Test(arguments: Target.all) func aBadNuStaysInItsNeuron(target: Target) {
    target.run { aBadNuStaysInItsNeuron($0) }
  }

  func aBadNuStaysInItsNeuron<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (5, 7, 20)
    var random = SplitMix64(seed: 5)
    let x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d)
    let blocks = BatchMinor(d: d, count: m, precision: T.precision)
    for neuron in 0..<m {
      var weights = [Double](repeating: 0.5, count: n * m)
      weights[2 * m + neuron] = .nan
      let nu = GuardedMatrix<T>(weights, rows: n, columns: m)
      let g = GuardedMatrix<T>(rows: 1, columns: blocks.elementCount)
      let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1))
      expect(
        T.kernels.gramWeightedBatch(g.pointer, x.pointer, d, nu.pointer, m, n, d, m, 1, 0, work.pointer, work.size, 1),
        type, "neuron \(neuron)")
      let storage = g.elements
      for other in 0..<m {
        let block = blocks.symmetric(other, of: storage)
        expect(
          block.allSatisfy { $0.isNaN == (other == neuron) }, type, "NaN in neuron \(neuron), looking at \(other)")
      }
    }
  }
}
