import CKernels
import FisherKit
import FisherKitTestSupport
import Testing

/// Sizes whose products pass 2³¹ and 2³² are counted right, those that pass 2⁶³ are refused: nothing is allocated.
/// `PlacementTests` run the kernels on offsets beyond 2³².
@Suite struct OverflowTests {
  @Test(arguments: Target.all) func countsBeyond32Bits(target: Target) { target.run { countsBeyond32Bits($0) } }

  func countsBeyond32Bits<T: KernelPrecision>(_ type: T.Type) {
    let lanes = T.precision.lanes
    for (d, m) in [(70_000, 1), (70_000, 80), (92_682, 3), (785, 100_000), (1, 1 << 33), (46_341, lanes)] {
      let triangle = d % 2 == 0 ? d / 2 * (d + 1) : (d + 1) / 2 * d
      let count = triangle * ((m + lanes - 1) / lanes) * lanes
      expect(count > 1 << 32, type, "d \(d) m \(m) is a small case")
      expect(T.kernels.blockBatchCount(d, m) == count, type, "d \(d) m \(m)")
    }
  }

  @Test func bytesBeyond32Bits() throws {
    #expect(try BlockBatch<Float>.bytes(count: 16, order: 70_000) == 35_000 * 70_001 * 16 * 4)
    #expect(try BlockBatch<Double>.bytes(count: 9, order: 70_000) == 35_000 * 70_001 * 16 * 8)
    #expect(throws: FisherError.self) { try BlockBatch<Float>.bytes(count: 1 << 40, order: 70_000) }
    #expect(throws: FisherError.self) { try BlockBatch<Double>.bytes(count: 1, order: 1 << 31) }
  }

  @Test(arguments: Target.all) func workSizesBeyond32Bits(target: Target) { target.run { workSizesBeyond32Bits($0) } }

  func workSizesBeyond32Bits<T: KernelPrecision>(_ type: T.Type) {
    let size = MemoryLayout<T>.size
    // each is at least what it has to hold, and not twice that: a product cut to 32 bits would be neither
    let solve = T.kernels.choleskyBatchSolveWorkSize(1 << 30, 5, 4)
    expect(solve >= 4 * (1 << 30) * 64 && solve < 5 * (1 << 30) * 64, type, "solve: \(solve)")
    let product = T.kernels.softmaxBlockMatvecWorkSize(1 << 20, 70_000)
    expect(product >= 70_000 * size << 20 && product < 70_001 * size << 20, type, "softmax product: \(product)")
    let gram = T.kernels.gramWeightedBatchWorkSize(1_000_000, 70_000, 1 << 22, 2)
    expect(gram >= 8_192 * size << 22 && gram < 8_192 * size << 23, type, "Gram: \(gram)")
    let dense = T.kernels.softmaxBlockDenseWorkSize(1 << 20, 70_000, 2, 1)
    expect(dense >= 70_004 * size << 20 && dense < 70_005 * size << 20, type, "softmax block: \(dense)")
  }

  @Test(arguments: Target.all) func sizesBeyond64BitsAreRefused(target: Target) {
    target.run { sizesBeyond64BitsAreRefused($0) }
  }

  func sizesBeyond64BitsAreRefused<T: KernelPrecision>(_ type: T.Type) {
    let huge = 1 << 40
    expect(T.kernels.blockBatchCount(huge, 1) == -1, type, "blocks of order 2^40")
    expect(T.kernels.blockBatchCount(1 << 30, 1 << 30) == -1, type, "2^30 blocks of order 2^30")
    expect(T.kernels.choleskyBatchSolveWorkSize(huge, 1, 1 << 24) == -1, type, "solve")
    expect(T.kernels.softmaxBlockMatvecWorkSize(huge, huge) == -1, type, "softmax product")
    expect(T.kernels.softmaxBlockDenseWorkSize(huge, 1 << 31, 1 << 20, 1) == -1, type, "softmax block")
    expect(T.kernels.gramWeightedBatchWorkSize(huge, 1, 1 << 60, 1) == -1, type, "Gram")
    expect(T.kernels.gramWeightedBatchWorkSize(1, huge, 1, 1) == -1, type, "Gram of order 2^40")
    expect(T.kernels.eigenvaluesWorkSize(1 << 31) == -1, type, "eigenvalues")
    let one = GuardedMatrix<T>(rows: 1, columns: 1)
    let p = one.pointer
    expect(
      T.kernels.gemm(p, huge, p, huge, 0, p, huge, 0, 1, 1, 1, 1, 0, 1), is: FK_SIZE_OVERFLOW, type,
      "rows too long for BLAS")
    expect(T.kernels.gram(p, huge, p, huge, 1, 1, 1, 0, 1), is: FK_SIZE_OVERFLOW, type, "gram")
    expect(T.kernels.cholesky(p, huge, nil, huge, 0, 1), is: FK_SIZE_OVERFLOW, type, "cholesky")
    expect(T.kernels.choleskySolve(p, huge, p, huge, huge, 1, 1), is: FK_SIZE_OVERFLOW, type, "solve")
    expect(T.kernels.choleskyBatch(p, nil, nil, huge, 1, 1, 0, 1), is: FK_SIZE_OVERFLOW, type, "batch")
    expect(one.elements[0].isNaN, type, "something was written")
  }
}
