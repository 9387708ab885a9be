import CKernels
import FisherKitTestSupport

/// ⟨row i of A, row i of B⟩ for the neurons of a layer: what a step's trust region takes.
final class RowDots<T: BenchScalar>: KernelBench {
  static var kernel: String { "row_dots" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let m: Int
  private let d: Int
  private let first: Operand<T>
  private let second: Operand<T>
  private var dots: [Double]

  init(_ shape: Shape, threads: Int32) {
    (m, d) = (shape.m!, shape.d!)
    var random = SplitMix64(seed: 14)
    (first, second) = (Operand(random.normal(m * d)), Operand(random.normal(m * d)))
    dots = Array(repeating: 0, count: m)
  }

  var flops: Double { 2 * Double(m * d) }
  var bytes: Double { first.byteCount + second.byteCount }
  func call() -> fk_status { T._kernels.rowDots(&dots, first.pointer, d, second.pointer, d, m, d) }

  func check() -> [Comparison] {
    let (a, b) = (first.numbers, second.numbers)
    let scales = Reference.rowDots(a: a.map { abs($0) }, b: b.map { abs($0) }, m: m, d: d)
    return [
      .elementwise(
        dots, Reference.rowDots(a: a, b: b, m: m, d: d), scales: scales,
        tolerance: Tolerance.update.relative(T.precision))
    ]
  }
}
