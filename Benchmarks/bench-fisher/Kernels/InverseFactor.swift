import CKernels
import FisherKitTestSupport

/// L⁻¹ of the inner products of r rows: what making a subspace's basis orthonormal takes. By one thread.
final class InverseFactor<T: BenchScalar>: KernelBench {
  static var kernel: String { "inverse_factor" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 32, m: 1), Shape(d: 64, m: 1), Shape(d: 128, m: 1)] }

  private let r: Int
  private let shift = 1e-3
  private let matrix: Operand<T>
  private let inverse: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    r = shape.d!
    var random = SplitMix64(seed: 17)
    matrix = Operand(random.positiveDefinite(d: r))
    inverse = Operand(count: r * r)
  }

  var flops: Double { 2 * Double(r * r * r) / 3 }
  var bytes: Double { matrix.byteCount + inverse.byteCount }
  func call() -> fk_status { T._kernels.inverseFactor(inverse.pointer, r, matrix.pointer, r, r, shift) }

  func check() -> [Comparison] {
    [
      .normwise(
        inverse.numbers, Reference.inverseFactor(matrix.numbers, r: r, shift: shift),
        tolerance: 64 * Tolerance.inverse.relative(T.precision, terms: r))
    ]
  }
}
