import CKernels
import FisherKitTestSupport
import Testing

/// Symmetric blocks in batch-minor storage, to be multiplied with vectors.
struct SymmetricBatch<T: KernelPrecision> {
  let d: Int
  let m: Int
  var threads: Int32 = 1
  let storage: GuardedMatrix<T>

  init(_ blocks: [[Double]], d: Int, threads: Int32 = 1) {
    let batch = BatchMinor(d: d, count: blocks.count, precision: T.precision)
    self.init(
      GuardedMatrix<T>(batch.pack(blocks), rows: 1, columns: batch.elementCount, layout: .strided), d: d,
      m: blocks.count, threads: threads)
  }

  init(_ storage: GuardedMatrix<T>, d: Int, m: Int, threads: Int32) {
    (self.storage, self.d, self.m, self.threads) = (storage, d, m, threads)
  }

  /// D = the rows A_i v_i.
  func multiply(_ v: [Double], layout: GuardedMatrix<T>.Layout = .packed, inPlace: Bool = false) -> [Double] {
    let place = "multiply d \(d) m \(m) threads \(threads)"
    let right = GuardedMatrix<T>(v, rows: m, columns: d, layout: layout)
    let product = inPlace ? right : GuardedMatrix<T>(rows: m, columns: d, layout: layout)
    let work = WorkSpace(T.kernels.symmetricBatchMultiplyWorkSize(d, m, threads))
    let before = storage.elements
    let status = T.kernels.symmetricBatchMultiply(
      product.pointer, product.leadingDimension, storage.pointer, right.pointer, right.leadingDimension, d, m,
      work.pointer, work.size, threads)
    expect(status, T.self, place)
    expectIntact([product, right, storage], place)
    expect(work.isIntact, T.self, "\(place): written past the work space")
    expectIdentical(storage.elements, before, T.self, "\(place): the blocks")
    if !inPlace { expect(right.elements == T.precision.round(v), T.self, "\(place): the vectors were written") }
    return product.elements
  }
}

extension CholeskyBatch {
  /// Replaces the factors by the inverses of the damped blocks.
  func invert() {
    let status = T.kernels.choleskyBatchInverse(storage.pointer, d, blocks.count, threads)
    expect(status, T.self, "inverse \(place)")
    expectIntact([storage], "inverse \(place)")
  }

  func multiply(_ v: [Double]) -> [Double] {
    SymmetricBatch<T>(storage, d: d, m: blocks.count, threads: threads).multiply(v)
  }
}
