import CKernels
import FisherKitTestSupport

/// Whether every number of a matrix is one.
final class AllFinite<T: BenchScalar>: KernelBench {
  static var kernel: String { "all_finite" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 785, m: 80), Shape(d: 1025, m: 1024)] }

  private let m: Int
  private let d: Int
  private let matrix: Operand<T>
  private var result: Int32 = -1

  init(_ shape: Shape, threads: Int32) {
    (m, d) = (shape.m!, shape.d!)
    var random = SplitMix64(seed: 13)
    matrix = Operand(random.normal(m * d))
  }

  /// One test a number.
  var flops: Double { Double(m * d) }
  var bytes: Double { matrix.byteCount }
  func call() -> fk_status { T._kernels.allFinite(&result, matrix.pointer, d, m, d) }

  /// Yes for what it was given; no with a NaN or an infinity in the last place.
  func check() -> [Comparison] {
    var found = [Double(result)]
    let last = matrix.pointer + (m * d - 1)
    let number = last.pointee
    for bad in [T.nan, T.infinity] {
      last.pointee = bad
      var answer: Int32 = -1
      let status = T._kernels.allFinite(&answer, matrix.pointer, d, m, d)
      found.append(status == FK_OK ? Double(answer) : .nan)
    }
    last.pointee = number
    return [.normwise(found, [1, 0, 0], tolerance: 0)]
  }
}
