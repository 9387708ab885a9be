import CKernels
import FisherKitTestSupport

/// The blocks of a layer as training makes them, for the Cholesky kernels: Gram matrices of fewer samples than inputs,
/// which the damping makes invertible, and a gradient.
struct DampedLayer<T: BenchScalar> {
  let d: Int
  let m: Int
  let threads: Int32
  let damping = 0.005
  let undamped: Blocks<T>
  let factors: Blocks<T>
  let gradient: Operand<T>
  let direction: Operand<T>
  private let work: Scratch

  static var shapes: [Shape] {
    [
      Shape(d: 81, m: 80), Shape(d: 101, m: 100), Shape(d: 257, m: 256), Shape(d: 785, m: 80), Shape(d: 1025, m: 64),
    ]
  }

  init(_ shape: Shape, threads: Int32) {
    (d, m, self.threads) = (shape.d!, shape.m!, threads)
    undamped = Blocks(d: d, m: m)
    factors = Blocks(d: d, m: m)
    let samples = 50
    var random = SplitMix64(seed: 3)
    let x = Operand<T>(random.samples(n: samples, d: d))
    let nu = Operand<T>(random.uniform(samples * m, in: 0...1))
    let scratch = Scratch(T._kernels.gramWeightedBatchWorkSize(samples, d, m, threads))
    let status = T._kernels.gramWeightedBatch(
      undamped.storage.pointer, x.pointer, d, nu.pointer, m, samples, d, m, 1 / Double(samples), 0, scratch.pointer,
      scratch.size, threads)
    precondition(status == FK_OK, "the blocks could not be made: status \(status.rawValue)")
    factors.storage.copy(from: undamped.storage)
    gradient = Operand(random.normal(m * d))
    direction = Operand(count: m * d)
    work = Scratch(T._kernels.choleskyBatchSolveWorkSize(d, m, threads))
  }

  func reset() { factors.storage.copy(from: undamped.storage) }

  func factorize() -> fk_status {
    T._kernels.choleskyBatch(factors.storage.pointer, nil, nil, d, m, 1, damping, threads)
  }

  func solve() -> fk_status {
    T._kernels.choleskyBatchSolve(
      direction.pointer, d, factors.storage.pointer, gradient.pointer, d, d, m, work.pointer, work.size, threads)
  }

  /// L L^T against the damped block: a backward error, so that the condition of the block does not matter.
  func checkFactors() -> [Comparison] {
    undamped.sample(flops: Double(d * d * d) / 3).map { neuron in
      .normwise(
        Reference.reconstruct(factors.factor(neuron), d: d),
        Reference.damped(undamped.symmetric(neuron), d: d, damping: damping),
        tolerance: Tolerance.factor.relative(T.precision, terms: d))
    }
  }

  /// The backward error of the solutions.
  func checkSolutions() -> [Comparison] {
    undamped.sample(flops: Double(2 * d * d)).map { neuron in
      let row = neuron * d..<(neuron + 1) * d
      return .backward(
        Reference.damped(undamped.symmetric(neuron), d: d, damping: damping), x: direction[row], v: gradient[row],
        d: d, at: row.lowerBound, tolerance: Tolerance.solve.relative(T.precision, terms: d))
    }
  }
}
