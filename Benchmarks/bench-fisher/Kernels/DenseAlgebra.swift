import CKernels
import FisherKitTestSupport

/// Z = X W^T, the way forward through a layer.
final class Gemm<T: BenchScalar>: KernelBench {
  static var kernel: String { "gemm" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [50, 200].flatMap { n in [Shape(d: 81, m: 80, n: n), Shape(d: 785, m: 80, n: n)] }
  }

  private let shape: (n: Int, d: Int, m: Int)
  private let threads: Int32
  private let x: Operand<T>
  private let w: Operand<T>
  private let z: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    self.shape = (shape.n!, shape.d!, shape.m!)
    self.threads = threads
    var random = SplitMix64(seed: 14)
    x = Operand(random.samples(n: shape.n!, d: shape.d!))
    w = Operand(random.normal(shape.m! * shape.d!))
    z = Operand(count: shape.n! * shape.m!)
  }

  var flops: Double { 2 * Double(shape.n * shape.d * shape.m) }
  var bytes: Double { x.byteCount + w.byteCount + z.byteCount }

  func call() -> fk_status {
    let (n, d, m) = shape
    return T._kernels.gemm(z.pointer, m, x.pointer, d, 0, w.pointer, d, 1, n, m, d, 1, 0, threads)
  }

  func check() -> [Comparison] {
    let (n, d, m) = shape
    let expected = Reference.gemm(a: x.numbers, b: w.numbers, transposeB: true, m: n, n: m, k: d)
    return [.normwise(z.numbers, expected, tolerance: Tolerance.product.relative(T.precision, terms: d))]
  }
}

/// G = 1/n X^T X, the block a linear layer's neurons share, by BLAS.
final class Gram<T: BenchScalar>: KernelBench {
  static var kernel: String { "gram" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 81, n: 50), Shape(d: 785, n: 5000)] }

  private let n: Int
  private let d: Int
  private let threads: Int32
  private let x: Operand<T>
  private let g: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (n, d, self.threads) = (shape.n!, shape.d!, threads)
    var random = SplitMix64(seed: 15)
    x = Operand(random.samples(n: n, d: d))
    g = Operand(count: d * d)
  }

  var flops: Double { Double(n) * Double(d * (d + 1)) }
  var bytes: Double { x.byteCount + g.byteCount / 2 }
  func call() -> fk_status { T._kernels.gram(g.pointer, d, x.pointer, d, n, d, 1 / Double(n), 0, threads) }

  func check() -> [Comparison] {
    let expected = Reference.gram(x: x.numbers, n: n, d: d, alpha: 1 / Double(n))
    return [
      .normwise(
        lowerTriangle(g.numbers, d: d), lowerTriangle(expected, d: d),
        tolerance: Tolerance.product.relative(T.precision, terms: n))
    ]
  }
}

/// (G + damping I)^-1 V for one dense block shared by m rows.
final class DenseCholesky<T: BenchScalar>: KernelBench {
  static var kernel: String { "cholesky + solve" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [Shape(d: 81, m: 80), Shape(d: 785, m: 80), Shape(d: 810, m: 1), Shape(d: 2048, m: 1)]
  }

  private let d: Int
  private let m: Int
  private let threads: Int32
  private let damping = 0.005
  private let undamped: Operand<T>
  private let factor: Operand<T>
  private let gradient: Operand<T>
  private let direction: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (d, m, self.threads) = (shape.d!, shape.m!, threads)
    var random = SplitMix64(seed: 16)
    undamped = Operand(Reference.gram(x: random.samples(n: 50, d: d), n: 50, d: d, alpha: 1.0 / 50))
    factor = Operand(count: d * d)
    gradient = Operand(random.normal(m * d))
    direction = Operand(count: m * d)
  }

  var flops: Double { Double(d * d * d) / 3 + 2 * Double(m) * Double(d * d) }
  var bytes: Double { factor.byteCount + 2 * gradient.byteCount }

  func reset() {
    factor.copy(from: undamped)
    direction.copy(from: gradient)
  }

  func call() -> fk_status {
    var failure = fk_failure()
    let status = T._kernels.cholesky(factor.pointer, d, &failure, d, damping, threads)
    return status == FK_OK ? T._kernels.choleskySolve(direction.pointer, d, factor.pointer, d, d, m, threads) : status
  }

  func check() -> [Comparison] {
    let damped = Reference.damped(undamped.numbers, d: d, damping: damping)
    let tolerance = Tolerance.factor.relative(T.precision, terms: d)
    let l = lowerTriangle(factor.numbers, d: d)
    let solutions = (0..<m).map { neuron in
      let row = neuron * d..<(neuron + 1) * d
      return Comparison.backward(
        damped, x: direction[row], v: gradient[row], d: d, at: row.lowerBound,
        tolerance: Tolerance.solve.relative(T.precision, terms: d))
    }
    return [.normwise(Reference.reconstruct(l, d: d), damped, tolerance: tolerance)] + solutions
  }
}

/// The matrix with what is above its diagonal zero.
private func lowerTriangle(_ matrix: [Double], d: Int) -> [Double] {
  matrix.indices.map { $0 % d > $0 / d ? 0 : matrix[$0] }
}
