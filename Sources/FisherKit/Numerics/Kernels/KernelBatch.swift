internal import CKernels

/// The Cholesky factors of the systems λI + S_iS_iᵀ of order n of a layer's neurons, and the work space of their kernels.
struct KernelBatch<Scalar: KernelScalar>: StateValue, ~Copyable {
  private var factors: AlignedBuffer<Scalar>
  private let work: AlignedBuffer<UInt8>
  private let threads: Int32
  private let samples: Int

  /// Steps of refinement in a solve: one leaves the error of a direct solve while n ≤ d.
  private static var refinements: Int32 { 1 }

  /// - Parameter samples: the most that a factorisation is given.
  init(samples: Int, neurons: Int, order: Int, name: String) throws(FisherError) {
    let what = "\(name): \(neurons) kernel matrices of \(samples) samples"
    threads = Int32(Compute.threads)
    self.samples = samples
    let factorWork = try workSize(Scalar._kernels.kernelBatchFactorWorkSize(samples, neurons), what)
    let solveWork = try workSize(Scalar._kernels.kernelBatchSolveWorkSize(samples, neurons, Self.refinements), what)
    let factors = try AlignedBuffer<Scalar>(
      count: BlockBatch<Scalar>.elements(count: neurons, order: samples, what: what), what: what)
    work = try AlignedBuffer(count: max(factorWork, solveWork), what: what)
    self.factors = factors
  }

  var bytes: Int { factors.count * MemoryLayout<Scalar>.stride + work.count }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("factors", factors)
    visitor.scratch("work", bytes: work.count)
  }

  /// The same, before anything is allocated; the largest number where it cannot be addressed.
  static func bytes(samples: Int, neurons: Int) -> Int {
    let held = (try? BlockBatch<Scalar>.bytes(count: neurons, order: samples)) ?? .max
    let factorWork = Scalar._kernels.kernelBatchFactorWorkSize(samples, neurons)
    let solveWork = Scalar._kernels.kernelBatchSolveWorkSize(samples, neurons, Self.refinements)
    return sum(ofBytes: held, factorWork < 0 ? .max : max(factorWork, solveWork))
  }

  /// Cost 2n²d + m n³/3 flops.
  /// - Throws: `notPositiveDefinite` with the first failing neuron and pivot; the factors are then not to be used.
  mutating func factor(
    inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, damping: Double, parameter: String
  ) throws(FisherError) {
    var failure = fk_failure()
    if try factor(inputs: x, nu: nu, damping: damping, info: nil, &failure) { return }
    throw .notPositiveDefinite(
      FactorizationFailure(
        parameter: parameter, neuron: failure.block, pivot: failure.pivot, value: failure.value,
        failedBlocks: failure.failed_blocks, blocks: nu.columns, order: x.rows, damping: damping))
  }

  /// The same, whatever becomes of single neurons: `info` of one is 0, or 1 + the first sample whose pivot was not
  /// positive.
  /// - Returns: whether all have factors.
  mutating func factor(
    inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, damping: Double, info: inout [Int]
  ) throws(FisherError) -> Bool {
    demand(info.count == nu.columns, "expected room for \(nu.columns) pivots")
    var failure = fk_failure()
    return try info.withUnsafeMutableBufferPointer { (info) throws(FisherError) in
      try factor(inputs: x, nu: nu, damping: damping, info: info.baseAddress, &failure)
    }
  }

  private mutating func factor(
    inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, damping: Double,
    info: UnsafeMutablePointer<Int>?, _ failure: inout fk_failure
  ) throws(FisherError) -> Bool {
    demand(x.rows == nu.rows && x.rows <= samples, "samples of another shape")
    let status = Scalar._kernels.kernelBatchFactor(
      factors.base, info, &failure, x.storage.base, x.stride, nu.storage.base, nu.stride, x.rows, x.columns, nu.columns,
      damping, work.base, work.count, threads)
    if status == FK_NOT_POSITIVE_DEFINITE { return false }
    if status == FK_INVALID_ARGUMENT {
      throw .invalidArgument(
        what: "damping", expected: "a number whose reciprocal \(Scalar.self) can hold", found: "\(damping)")
    }
    try check(status, "kernel matrices of \(x.rows) samples")
    return true
  }

  /// Replaces row i of V (m,d) by (Ĝ_i + λI)⁻¹ times it. Cost 8mnd + 4mn² flops.
  func solve(
    _ v: inout Matrix<Scalar>, inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, damping: Double
  ) {
    demand(v.rows == nu.columns && v.columns == x.columns, "vectors of another shape")
    check(
      Scalar._kernels.kernelBatchSolve(
        v.storage.base, v.stride, factors.base, x.storage.base, x.stride, nu.storage.base, nu.stride, v.storage.base,
        v.stride, x.rows, x.columns, v.rows, damping, Self.refinements, work.base, work.count, threads))
  }
}
