import CKernels
import FisherKitTestSupport

/// The samples and class probabilities that the matrix of eq 10 is made of.
struct SoftmaxOperands<T: BenchScalar> {
  let n: Int
  let d: Int
  let m: Int
  let x: Operand<T>
  let eta: Operand<T>

  init(_ shape: Shape) {
    (n, d, m) = (shape.n!, shape.d!, shape.m!)
    var random = SplitMix64(seed: 4)
    x = Operand(random.samples(n: n, d: d))
    eta = Operand(Reference.softmax(z: random.normal(n * m), n: n, m: m).eta)
  }

  var bytes: Double { x.byteCount + eta.byteCount }
  /// One multiplication and addition for each sample and each number that has to be found: block (i,j) is the same as
  /// (j,i), and symmetric.
  var flops: Double { Double(n) * Double(d * (d + 1)) * Double(m * (m + 1) / 2) }
}

/// 1/n sum_s (diag eta_s - eta_s eta_s^T) (x) x~_s x~_s^T, dense.
final class SoftmaxBlockDense<T: BenchScalar>: KernelBench {
  static var kernel: String { "softmax_block_dense" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [Shape(d: 81, m: 10, n: 50), Shape(d: 101, m: 10, n: 50), Shape(d: 81, m: 10, n: 5000)]
  }

  private let operands: SoftmaxOperands<T>
  private let order: Int
  private let threads: Int32
  private let g: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    operands = SoftmaxOperands(shape)
    order = operands.m * operands.d
    self.threads = threads
    g = Operand(count: order * order)
    work = Scratch(T._kernels.softmaxBlockDenseWorkSize(operands.n, operands.d, operands.m, threads))
  }

  var flops: Double { operands.flops }
  var bytes: Double { operands.bytes + g.byteCount }

  func call() -> fk_status {
    T._kernels.softmaxBlockDense(
      g.pointer, order, operands.x.pointer, operands.d, operands.eta.pointer, operands.m, operands.n, operands.d,
      operands.m, 1 / Double(operands.n), work.pointer, work.size, threads)
  }

  func check() -> [Comparison] {
    let expected = Reference.softmaxBlock(
      x: operands.x.numbers, eta: operands.eta.numbers, n: operands.n, d: operands.d, m: operands.m,
      alpha: 1 / Double(operands.n))
    return [
      .normwise(g.numbers, expected, tolerance: Tolerance.softmaxBlock.relative(T.precision, terms: operands.n))
    ]
  }
}

/// The lower triangle of the same matrix, factored with damping, and one vector solved for: a refresh of an optimizer and
/// a step.
final class SoftmaxBlockFactorAndSolve<T: BenchScalar>: KernelBench {
  static var kernel: String { "softmax_block_lower + solve" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 81, m: 10, n: 50), Shape(d: 81, m: 10, n: 5000)] }

  private let operands: SoftmaxOperands<T>
  private let order: Int
  private let threads: Int32
  private let damping = 0.005
  private let g: Operand<T>
  private let gradient: Operand<T>
  private let direction: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    operands = SoftmaxOperands(shape)
    order = operands.m * operands.d
    self.threads = threads
    g = Operand(count: order * order)
    var random = SplitMix64(seed: 17)
    gradient = Operand(random.normal(order))
    direction = Operand(count: order)
    work = Scratch(T._kernels.softmaxBlockDenseWorkSize(operands.n, operands.d, operands.m, threads))
  }

  var flops: Double { operands.flops + Double(order * order * order) / 3 + 2 * Double(order * order) }
  var bytes: Double { operands.bytes + g.byteCount / 2 + 2 * gradient.byteCount }
  func reset() { direction.copy(from: gradient) }

  func call() -> fk_status {
    var status = T._kernels.softmaxBlockLower(
      g.pointer, order, operands.x.pointer, operands.d, operands.eta.pointer, operands.m, operands.n, operands.d,
      operands.m, 1 / Double(operands.n), work.pointer, work.size, threads)
    if status == FK_OK { status = T._kernels.cholesky(g.pointer, order, nil, order, damping, threads) }
    if status == FK_OK {
      status = T._kernels.choleskySolve(direction.pointer, order, g.pointer, order, order, 1, threads)
    }
    return status
  }

  func check() -> [Comparison] {
    let matrix = Reference.softmaxBlock(
      x: operands.x.numbers, eta: operands.eta.numbers, n: operands.n, d: operands.d, m: operands.m,
      alpha: 1 / Double(operands.n))
    let damped = Reference.damped(matrix, d: order, damping: damping)
    let tolerance =
      Tolerance.softmaxBlock.relative(T.precision, terms: operands.n)
      + Tolerance.solve.relative(T.precision, terms: order)
    return [.backward(damped, x: direction.numbers, v: gradient.numbers, d: order, at: 0, tolerance: tolerance)]
  }
}

/// The same matrix times V, never formed.
final class SoftmaxBlockMatvec<T: BenchScalar>: KernelBench {
  static var kernel: String { "softmax_block_matvec" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [Shape(d: 81, m: 10, n: 50), Shape(d: 785, m: 10, n: 500), Shape(d: 513, m: 1000, n: 1024)]
  }
  static var sweeps: [Sweep] {
    [
      .d(doublings(from: 256, through: 2048), m: 512, n: 1024),
      .m(doublings(from: 128, through: 1024), d: 513, n: 1024),
      .n(doublings(from: 256, through: 2048), d: 513, m: 512), .threads(Shape(d: 513, m: 1000, n: 1024)),
    ]
  }

  private let operands: SoftmaxOperands<T>
  private let threads: Int32
  private let v: Operand<T>
  private let r: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    operands = SoftmaxOperands(shape)
    self.threads = threads
    var random = SplitMix64(seed: 5)
    v = Operand(random.normal(operands.m * operands.d))
    r = Operand(count: v.count)
    work = Scratch(T._kernels.softmaxBlockMatvecWorkSize(operands.n, operands.m))
  }

  var flops: Double { 4 * Double(operands.n) * Double(operands.m * operands.d) }
  var bytes: Double { operands.bytes + v.byteCount + r.byteCount }

  func call() -> fk_status {
    T._kernels.softmaxBlockMatvec(
      r.pointer, operands.d, operands.x.pointer, operands.d, operands.eta.pointer, operands.m, v.pointer, operands.d,
      operands.n, operands.d, operands.m, 1 / Double(operands.n), work.pointer, work.size, threads)
  }

  func check() -> [Comparison] {
    let (n, d, m) = (operands.n, operands.d, operands.m)
    let expected = Reference.softmaxBlockMatvecByProducts(
      x: operands.x.numbers, eta: operands.eta.numbers, v: v.numbers, n: n, d: d, m: m, alpha: 1 / Double(n))
    return [.normwise(r.numbers, expected, tolerance: Tolerance.softmaxBlock.relative(T.precision, terms: max(n, d)))]
  }
}
