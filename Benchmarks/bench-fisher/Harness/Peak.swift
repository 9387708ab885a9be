import CKernels
import FisherKit
import FisherKitTestSupport

/// The rate of a 2048 by 2048 by 2048 product by BLAS: what this machine, as busy as it is now, can do at most.
struct Peak: Sendable {
  let gflops: Double

  static func measure<T: BenchScalar>(_ type: T.Type, threads: Int32, patience: Patience) throws -> Peak {
    let size = 2048
    var random = SplitMix64(seed: 1)
    let a = Operand<T>(random.uniform(size * size))
    let b = Operand<T>(random.uniform(size * size))
    let c = Operand<T>(count: size * size)
    var status = FK_OK
    let timing = Timing.measure(patience) {
      status = T._kernels.gemm(
        c.pointer, size, a.pointer, size, 0, b.pointer, size, 0, size, size, size, 1, 0, threads)
    }
    guard status == FK_OK else { throw BenchError.kernel("gemm 2048", status.rawValue) }
    return Peak(gflops: 2 * Double(size * size * size) / timing.median / 1e9)
  }
}
