import CKernels
import FisherKitTestSupport

/// eta and nu = eta (1 - eta) of a batch.
final class Softmax<T: BenchScalar>: KernelBench {
  static var kernel: String { "softmax" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(m: 10, n: 50), Shape(m: 1000, n: 1000)] }

  private let n: Int
  private let m: Int
  private let threads: Int32
  private let z: Operand<T>
  private let eta: Operand<T>
  private let nu: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (n, m, self.threads) = (shape.n!, shape.m!, threads)
    var random = SplitMix64(seed: 8)
    z = Operand(random.normal(n * m))
    eta = Operand(count: n * m)
    nu = Operand(count: n * m)
  }

  /// The maximum, the difference from it, its exponential, their sum, the quotient, and eta (1 - eta).
  var flops: Double { 7 * Double(n * m) }
  var bytes: Double { 3 * z.byteCount }

  func call() -> fk_status { T._kernels.softmax(eta.pointer, m, nu.pointer, m, z.pointer, m, n, m, threads) }

  func check() -> [Comparison] {
    // (the reference's nu costs m^2 a sample: as many samples as that allows)
    let samples = min(n, max(1, Int(1e8) / (m * m)))
    let expected = Reference.softmax(z: z[0..<samples * m], n: samples, m: m)
    // a sum of m terms, and where m = 1 the others' sum is 0
    let tolerance = Tolerance.softmax.relative(T.precision, terms: m)
    return [
      .elementwise(eta[0..<samples * m], expected.eta, tolerance: tolerance),
      .elementwise(nu[0..<samples * m], expected.nu, tolerance: tolerance),
    ]
  }
}

/// Loss, hits and gradient at the output.
final class SoftmaxCrossEntropy<T: BenchScalar>: KernelBench {
  static var kernel: String { "softmax_cross_entropy" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(m: 10, n: 50), Shape(m: 10, n: 1000)] }

  private let n: Int
  private let m: Int
  private let z: Operand<T>
  private let labels: [Int32]
  private let delta: Operand<T>
  private var loss = Double.nan
  private var correct = -1

  init(_ shape: Shape, threads: Int32) {
    (n, m) = (shape.n!, shape.m!)
    var random = SplitMix64(seed: 9)
    z = Operand(random.normal(n * m))
    labels = random.labels(n: n, m: m)
    delta = Operand(count: n * m)
  }

  var flops: Double { 6 * Double(n * m) }
  var bytes: Double { 2 * z.byteCount + Double(4 * n) }

  func call() -> fk_status {
    T._kernels.softmaxCrossEntropy(&loss, &correct, delta.pointer, m, z.pointer, m, labels, n, m, 1 / Double(n))
  }

  func check() -> [Comparison] {
    let expected = Reference.crossEntropy(z: z.numbers, labels: labels, n: n, m: m, scale: 1 / Double(n))
    let tolerance = Tolerance.crossEntropy.relative(T.precision)
    return [
      .normwise(delta.numbers, expected.delta, tolerance: tolerance),
      .elementwise([loss], [expected.loss], tolerance: tolerance),
      .elementwise([Double(correct)], [Double(expected.correct)], tolerance: 0),
    ]
  }
}
