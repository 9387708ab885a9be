import CKernels
import FisherKitTestSupport

/// The spectrum of one dense block, by LAPACK.
final class Eigenvalues<T: BenchScalar>: KernelBench {
  static var kernel: String { "eigenvalues" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 81), Shape(d: 785)] }

  private let d: Int
  private let known: [Double]
  private let matrix: Operand<T>
  private let copy: Operand<T>
  private let values: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    d = shape.d!
    var random = SplitMix64(seed: 17)
    known = random.uniform(d, in: 0...1).sorted()
    matrix = Operand(random.symmetric(eigenvalues: known))
    copy = Operand(count: d * d)
    values = Operand(count: d)
    work = Scratch(T._kernels.eigenvaluesWorkSize(d))
  }

  var flops: Double { 4 * Double(d * d * d) / 3 }
  var bytes: Double { matrix.byteCount / 2 + values.byteCount }
  func reset() { copy.copy(from: matrix) }
  func call() -> fk_status { T._kernels.eigenvalues(values.pointer, copy.pointer, d, d, work.pointer, work.size) }

  /// Against the eigenvalues that the matrix was made of.
  func check() -> [Comparison] {
    [.normwise(values.numbers, known, tolerance: Tolerance.product.relative(T.precision, terms: d))]
  }
}
