import CKernels
import FisherKitTestSupport

/// How often a bench refines the solutions of the kernel form.
protocol Refinements {
  static var count: Int32 { get }
}

enum Unrefined: Refinements { static var count: Int32 { 0 } }
enum RefinedOnce: Refinements { static var count: Int32 { 1 } }

/// (1/n sum_s nu(s,i) x~_s x~_s^T + damping I)^-1 v_i by systems of order n: factors and solutions.
final class KernelFormSolve<T: BenchScalar, R: Refinements>: KernelBench {
  static var kernel: String { R.count == 0 ? "kernel_batch" : "kernel_batch, refined once" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 785, m: 80, n: 50), Shape(d: 785, m: 100, n: 50)] }

  private let n: Int
  private let d: Int
  private let m: Int
  private let threads: Int32
  private let damping = 0.005
  private let x: Operand<T>
  private let nu: Operand<T>
  private let gradient: Operand<T>
  private let factors: Blocks<T>
  private let direction: Operand<T>
  private let factorWork: Scratch
  private let solveWork: Scratch

  init(_ shape: Shape, threads: Int32) {
    (n, d, m, self.threads) = (shape.n!, shape.d!, shape.m!, threads)
    var random = SplitMix64(seed: 12)
    x = Operand(random.samples(n: n, d: d))
    nu = Operand(random.uniform(n * m, in: 0...1))
    gradient = Operand(random.normal(m * d))
    factors = Blocks(d: n, m: m)
    direction = Operand(count: m * d)
    factorWork = Scratch(T._kernels.kernelBatchFactorWorkSize(n, m))
    solveWork = Scratch(T._kernels.kernelBatchSolveWorkSize(n, m, R.count))
  }

  /// m factorisations of order n, the products X V^T and Q^T X, and half of X X^T: what a solve needs without
  /// refinement, counted for both rows, so that their times compare. The triangular solves, 2mn^2, are left out.
  var flops: Double {
    let (n, d, m) = (Double(n), Double(d), Double(m))
    return m * n * n * n / 3 + 4 * m * n * d + n * n * d
  }
  var bytes: Double { x.byteCount + nu.byteCount + 2 * gradient.byteCount }

  func call() -> fk_status {
    let status = T._kernels.kernelBatchFactor(
      factors.storage.pointer, nil, nil, x.pointer, d, nu.pointer, m, n, d, m, damping, factorWork.pointer,
      factorWork.size, threads)
    if status != FK_OK { return status }
    return T._kernels.kernelBatchSolve(
      direction.pointer, d, factors.storage.pointer, x.pointer, d, nu.pointer, m, gradient.pointer, d, n, d, m,
      damping, R.count, solveWork.pointer, solveWork.size, threads)
  }

  /// The backward error against the (d,d) system; without a refinement the condition number comes with it.
  func check() -> [Comparison] {
    let neurons = factors.sample(flops: Double(n * d * d))
    let blocks = Reference.weightedGram(
      x: x.numbers, nu: nu.numbers, n: n, d: d, m: m, neurons: neurons, alpha: 1 / Double(n))
    return zip(neurons, blocks).map { neuron, block in
      let row = neuron * d..<(neuron + 1) * d
      let damped = Reference.damped(block, d: d, damping: damping)
      let condition = R.count == 0 ? Reference.maximumNorm(damped) / damping : 1
      return .backward(
        damped, x: direction[row], v: gradient[row], d: d, at: row.lowerBound,
        tolerance: condition * Tolerance.solve.relative(T.precision, terms: d))
    }
  }
}
