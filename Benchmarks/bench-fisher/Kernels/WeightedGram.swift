import CKernels
import FisherKitTestSupport

/// G_i = 1/n sum_s nu(s,i) x~_s x~_s^T for all neurons of a layer.
final class WeightedGram<T: BenchScalar>: KernelBench {
  static var kernel: String { "gram_weighted_batch" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [
      Shape(d: 81, m: 80, n: 50), Shape(d: 101, m: 100, n: 50), Shape(d: 257, m: 256, n: 512),
      Shape(d: 1025, m: 64, n: 1024), Shape(d: 785, m: 80, n: 50), Shape(d: 785, m: 80, n: 5000),
    ]
  }

  static var sweeps: [Sweep] {
    [
      .d(doublings(from: 64, through: 512), m: 128, n: 256), .m(doublings(from: 64, through: 1024), d: 129, n: 128),
      .n(doublings(from: 64, through: 2048), d: 129, m: 64), .threads(Shape(d: 257, m: 256, n: 512)),
    ]
  }

  private let n: Int
  private let d: Int
  private let m: Int
  private let threads: Int32
  private let x: Operand<T>
  private let nu: Operand<T>
  private let blocks: Blocks<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    (n, d, m, self.threads) = (shape.n!, shape.d!, shape.m!, threads)
    var random = SplitMix64(seed: 2)
    x = Operand(random.samples(n: n, d: d))
    nu = Operand(random.uniform(n * m, in: 0...1))
    blocks = Blocks(d: d, m: m)
    work = Scratch(T._kernels.gramWeightedBatchWorkSize(n, d, m, threads))
  }

  var flops: Double { Double(m) * Double(n) * Double(d * (d + 1)) }
  var bytes: Double { x.byteCount + nu.byteCount + blocks.bytes }

  func call() -> fk_status {
    T._kernels.gramWeightedBatch(
      blocks.storage.pointer, x.pointer, d, nu.pointer, m, n, d, m, 1 / Double(n), 0, work.pointer, work.size, threads)
  }

  func check() -> [Comparison] {
    let neurons = blocks.sample(flops: Double(n * d * d))
    let expected = Reference.weightedGram(
      x: x.numbers, nu: nu.numbers, n: n, d: d, m: m, neurons: neurons, alpha: 1 / Double(n))
    return zip(neurons, expected).map { neuron, block in
      .normwise(blocks.symmetric(neuron), block, tolerance: Tolerance.gram.relative(T.precision, terms: n))
    }
  }
}
