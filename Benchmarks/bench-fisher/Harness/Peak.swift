import CKernels
import FisherKit
import FisherKitTestSupport

/// What this machine computes at most, in GFLOP/s: the larger of what its instructions are worth and of what BLAS makes of
/// them. BLAS alone would not do: it chooses its kernels by the name of the CPU, and may choose those of an older one.
struct Peak: Sendable, Equatable {
  /// Multiplications and additions in registers, by the instructions of the CPU level, on all threads.
  var arithmetic: Double
  /// A 2048 by 2048 by 2048 product by BLAS.
  var product: Double

  var gflops: Double { max(arithmetic, product) }

  /// BLAS is far below what the machine can do.
  var isProductSlow: Bool { product < 0.7 * arithmetic }

  /// The best that was seen: something else that runs makes a peak lower, and nothing makes it higher.
  func best(_ other: Peak) -> Peak {
    Peak(arithmetic: max(arithmetic, other.arithmetic), product: max(product, other.product))
  }

  static func measure(_ type: Reference.Precision, threads: Int32, patience: Patience) throws -> Peak {
    switch type {
    case .float: try measure(Float.self, threads: threads, patience: patience)
    case .double: try measure(Double.self, threads: threads, patience: patience)
    }
  }

  private static func measure<T: BenchScalar>(_ type: T.Type, threads: Int32, patience: Patience) throws -> Peak {
    Peak(
      arithmetic: try arithmetic(type, threads: threads, patience: patience),
      product: try product(type, threads: threads, patience: patience))
  }

  /// x = x / 2 + 1, which stays near 2: some milliseconds of it.
  private static func arithmetic<T: BenchScalar>(_: T.Type, threads: Int32, patience: Patience) throws -> Double {
    let (count, rounds) = (T._kernels.multiplyAddWidth() * Int(threads), 200_000)
    let x = Operand<T>(count: count)
    x.fill(with: 1)
    var status = FK_OK
    let timing = Timing.measure(patience) {
      status = T._kernels.multiplyAdd(x.pointer, count, rounds, 0.5, 1, threads)
    }
    guard status == FK_OK else { throw BenchError.kernel("multiply_add", status.rawValue) }
    return 2 * Double(count) * Double(rounds) / timing.least / 1e9
  }

  private static func product<T: BenchScalar>(_: T.Type, threads: Int32, patience: Patience) throws -> Double {
    let size = 2048
    var random = SplitMix64(seed: 1)
    let a = Operand<T>(random.uniform(size * size))
    let b = Operand<T>(random.uniform(size * size))
    let c = Operand<T>(count: size * size)
    fk_product_route_select(FK_PRODUCTS_BLAS)
    defer { fk_product_route_select(FK_PRODUCTS_AUTO) }
    var status = FK_OK
    let timing = Timing.measure(patience) {
      status = T._kernels.gemm(
        c.pointer, size, a.pointer, size, 0, b.pointer, size, 0, size, size, size, 1, 0, threads)
    }
    guard status == FK_OK else { throw BenchError.kernel("gemm 2048", status.rawValue) }
    return 2 * Double(size * size * size) / timing.least / 1e9
  }
}
