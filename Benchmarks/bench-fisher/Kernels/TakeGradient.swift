import CKernels
import FisherKitTestSupport

/// ‖g_i‖², G += l2 W and its copy in one pass, for the neurons of a layer.
final class TakeGradient<T: BenchScalar>: KernelBench {
  static var kernel: String { "take_gradient" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let m: Int
  private let d: Int
  private let given: Operand<T>
  private let gradient: Operand<T>
  private let weights: Operand<T>
  private let copy: Operand<T>
  private var squares: [Double]
  private let l2 = 1e-3

  init(_ shape: Shape, threads: Int32) {
    (m, d) = (shape.m!, shape.d!)
    var random = SplitMix64(seed: 18)
    given = Operand(random.normal(m * d))
    weights = Operand(random.normal(m * d))
    gradient = Operand(count: m * d)
    copy = Operand(count: m * d)
    squares = Array(repeating: 0, count: m)
  }

  var flops: Double { 4 * Double(m * d) }
  var bytes: Double { 2 * gradient.byteCount + weights.byteCount + copy.byteCount }
  func reset() { gradient.copy(from: given) }
  func call() -> fk_status {
    T._kernels.takeGradient(&squares, copy.pointer, d, gradient.pointer, d, weights.pointer, d, m, d, l2)
  }

  func check() -> [Comparison] {
    let expected = Reference.weightDecay(g: given.numbers, w: weights.numbers, m: m, d: d, l2: l2)
    let tolerance = Tolerance.update.relative(T.precision)
    return [
      .elementwise(
        squares, Reference.rowDots(a: given.numbers, b: given.numbers, m: m, d: d),
        tolerance: Tolerance.product.relative(T.precision, terms: d)),
      .normwise(gradient.numbers, expected, tolerance: tolerance),
      .normwise(copy.numbers, gradient.numbers, tolerance: 0),
    ]
  }
}
