internal import CKernels

/// The eigenvectors of symmetric matrices of one order, a row each, with their eigenvalues; all memory for them is made once.
struct Eigenbasis<Scalar: KernelScalar>: ~Copyable, StateValue {
  /// Q (d,d): M = QᵀΛQ.
  private(set) var vectors: Matrix<Scalar>
  /// Ascending, and not below 0.
  private(set) var values: [Double]
  private let ofKernel: AlignedBuffer<Scalar>
  private let work: AlignedBuffer<UInt8>
  private let what: String

  init(order: Int, what: String) throws(FisherError) {
    let vectors = try Matrix<Scalar>(rows: order, columns: order, what: "eigenvectors of \(what)")
    let ofKernel = try AlignedBuffer<Scalar>(count: order, what: "eigenvalues of \(what)")
    let work = try AlignedBuffer<UInt8>(
      count: try workSize(Scalar._kernels.eigenvectorsWorkSize(order), what), what: "eigenvectors of \(what)")
    self.vectors = vectors
    self.ofKernel = ofKernel
    self.work = work
    self.what = what
    values = Array(repeating: 0, count: order)
  }

  var order: Int { vectors.rows }
  var bytes: Int { Self.bytes(order: order) }

  /// The same, before anything is allocated.
  static func bytes(order d: Int) -> Int {
    sum(
      ofBytes: (try? Matrix<Scalar>.bytes(rows: d, columns: d)) ?? .max, Scalar._kernels.eigenvectorsWorkSize(d),
      d * (MemoryLayout<Scalar>.stride + MemoryLayout<Double>.stride))
  }

  mutating func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("vectors", &vectors)
    try visitor.visit("values", &values)
    visitor.scratch("work", bytes: bytes - vectors.bytes - values.count * MemoryLayout<Double>.stride)
  }

  /// Of the symmetric matrix whose lower triangle `form` writes. What rounding leaves below 0 is 0. Cost about 9 d³ flops.
  /// - Throws: `nonFinite` or `notConverged`, and nothing is left of the last one then.
  mutating func set(_ form: (inout Matrix<Scalar>) throws(FisherError) -> Void) throws(FisherError) {
    try form(&vectors)
    for i in 0..<order { for j in 0...i where !vectors[i, j].isFinite { throw .nonFinite(what: what, step: 0) } }
    let status = Scalar._kernels.eigenvectors(
      ofKernel.base, vectors.storage.base, vectors.stride, order, work.base, work.count)
    if status == FK_NO_CONVERGENCE {
      throw .notConverged(what: "eigenvectors of \(what)", iterations: 0, residual: .nan, tolerance: 0)
    }
    try check(status, what)
    for i in values.indices { values[i] = max(0, Double(ofKernel.base[i])) }
  }
}
