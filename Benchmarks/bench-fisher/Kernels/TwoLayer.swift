import CKernels
import FisherKitTestSupport

/// A hidden layer through a layer of independent outputs, times V (eq 12).
final class TwoLayerMatvec<T: BenchScalar>: KernelBench {
  static var kernel: String { "two_layer_matvec" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    [Shape(d: 81, m: 80, n: 50, outputs: 10), Shape(d: 513, m: 512, n: 1024, outputs: 256)]
  }

  private let n: Int
  private let d: Int
  private let m: Int
  private let outputs: Int
  private let threads: Int32
  private let x: Operand<T>
  private let slopes: Operand<T>
  private let c: Operand<T>
  private let nu: Operand<T>
  private let v: Operand<T>
  private let r: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    (n, d, m, outputs, self.threads) = (shape.n!, shape.d!, shape.m!, shape.outputs!, threads)
    var random = SplitMix64(seed: 13)
    x = Operand(random.samples(n: n, d: d))
    slopes = Operand(random.uniform(n * m, in: 0...1))
    c = Operand(random.normal(outputs * m))
    nu = Operand(random.uniform(n * outputs, in: 0...1))
    v = Operand(random.normal(m * d))
    r = Operand(count: m * d)
    work = Scratch(T._kernels.twoLayerMatvecWorkSize(n, m, outputs))
  }

  var flops: Double { 4 * Double(n) * Double(m) * Double(d + outputs) }
  var bytes: Double { [x, slopes, c, nu, v, r].reduce(0) { $0 + $1.byteCount } }

  func call() -> fk_status {
    T._kernels.twoLayerMatvec(
      r.pointer, d, x.pointer, d, slopes.pointer, m, c.pointer, m, nu.pointer, outputs, v.pointer, d, n, d, m, outputs,
      FK_OUTPUTS_INDEPENDENT, 1 / Double(n), work.pointer, work.size, threads)
  }

  func check() -> [Comparison] {
    let expected = Reference.twoLayerMatvecByProducts(
      x: x.numbers, slopes: slopes.numbers, c: c.numbers, above: nu.numbers, kind: .independent, v: v.numbers, n: n,
      d: d, m: m, outputs: outputs, alpha: 1 / Double(n))
    let terms = max(n, d, m, outputs)
    return [.normwise(r.numbers, expected, tolerance: Tolerance.twoLayer.relative(T.precision, terms: terms))]
  }
}
