internal import CKernels

/// What is done with all blocks at once: to sum them up from samples, to factor them, to solve and to multiply, a vector for
/// each block. None of it allocates; the work space is made once:
///
///     var blocks = try BlockBatch<Float>(count: m, order: d)
///     let workspace = try blocks.makeWorkspace(samples: n)
///     blocks.accumulateGram(inputs: x, nu: nu, alpha: 1 / Double(n), beta: 0, workspace: workspace)
///     try blocks.factor(damping: 0.005, parameter: "layer 1", workspace: workspace)
///     blocks.solve(&gradient, workspace: workspace)                         // row i: (Ĝ_i + λI)⁻¹ times it
extension BlockBatch {
  static func elements(count: Int, order: Int, what: @autoclosure () -> String) throws(FisherError) -> Int {
    try workSize(Scalar._kernels.blockBatchCount(order, count), what())
  }

  /// Work space for the operations below, for this many blocks of this order and for up to `samples` samples at a time.
  ///
  /// - Throws: `sizeOverflow` or `outOfMemory`.
  public func makeWorkspace(samples: Int) throws(FisherError) -> BlockWorkspace {
    let threads = Int32(Compute.threads)
    let what = "work space for \(count) blocks of order \(order)"
    let gram = try workSize(Scalar._kernels.gramWeightedBatchWorkSize(samples, order, count, threads), what)
    let solve = try workSize(Scalar._kernels.choleskyBatchSolveWorkSize(order, count, threads), what)
    let product = try workSize(Scalar._kernels.symmetricBatchMultiplyWorkSize(order, count, threads), what)
    return BlockWorkspace(
      buffer: try AlignedBuffer(count: max(gram, solve, product), what: what), threads: threads, samples: samples,
      count: count, order: order)
  }

  /// G_i = β G_i + α Σ_s ν(s,i) x̃_s x̃_sᵀ for every neuron i: the relative Fisher matrices of a non-linear layer
  /// (Table 1) when α = 1/n. X̃ is (n,d), ν is (n,m). Cost m n d (d+1) flops.
  ///
  /// - Parameters:
  ///   - rows: the samples s that are summed; by default all.
  ///   - blocks: the neurons, whole groups of lanes (a cache line: 16 `Float`, 8 `Double`) from the first one on, but the
  ///     last may be a part; by default all.
  ///   - beta: with 0, what the blocks held does not matter, a NaN neither.
  public mutating func accumulateGram(
    inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>, rows: Range<Int>? = nil,
    blocks: Range<Int>? = nil, alpha: Double, beta: Double, workspace: borrowing BlockWorkspace
  ) {
    let (rows, blocks) = (rows ?? 0..<x.rows, blocks ?? 0..<count)
    demand(
      x.columns == order && nu.columns == count && x.rows == nu.rows,
      "expected n×\(order) inputs and n×\(count) ν, found \(x.shape) and \(nu.shape)")
    demand(rows.lowerBound >= 0 && rows.upperBound <= x.rows, "samples \(rows) are outside of \(x.rows)")
    demand(rows.count <= workspace.samples, "work space for \(workspace.samples) samples, expected \(rows.count)")
    demandFit(workspace)
    check(
      Scalar._kernels.gramWeightedBatch(
        base(of: blocks), x.storage.base + rows.lowerBound * x.stride, x.stride,
        nu.storage.base + rows.lowerBound * nu.stride + blocks.lowerBound, nu.stride, rows.count, order, blocks.count,
        alpha, beta,
        workspace.buffer.base, workspace.buffer.count, workspace.threads))
  }

  /// Row i of product = G_i times row i of `vectors`, both (m,d), summed in double precision. Cost 2md² flops, by one
  /// thread: ``multiply(_:workspace:)`` is much faster.
  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) {
    demandShape(of: vectors)
    demandShape(of: product)
    let lanes = Self.lanes
    var sums = [Double](repeating: 0, count: order)
    for block in 0..<count {
      let packed = storage.base + block / lanes * (order * (order + 1) / 2) * lanes + block % lanes
      let vector = vectors.storage.base + block * vectors.stride
      for i in 0..<order {
        let row = packed + i * (i + 1) / 2 * lanes
        let (element, v) = (Double(row[i * lanes]), Double(vector[i]))
        var sum = element * v
        for j in 0..<i {
          let element = Double(row[j * lanes])
          sum += element * Double(vector[j])
          sums[j] += element * v
        }
        sums[i] = sum
      }
      for i in 0..<order { product.storage.base[block * product.stride + i] = Scalar(sums[i]) }
    }
  }

  /// Replaces every block by the Cholesky factor of scale G_i + λI, reciprocals of the pivots on its diagonal: a sum of n
  /// samples is factored with scale = 1/n. Cost md³/3 flops.
  /// - Parameter parameter: what the blocks belong to, for the error; `blocks`: as of the sums above.
  /// - Throws: `notPositiveDefinite` with the first failing neuron and pivot; the factors are then not to be used.
  public mutating func factor(
    scale: Double = 1, damping: Double, parameter: String = "blocks", blocks: Range<Int>? = nil,
    workspace: borrowing BlockWorkspace
  ) throws(FisherError) {
    demandFit(workspace)
    let blocks = blocks ?? 0..<count
    var failure = fk_failure()
    let status = Scalar._kernels.choleskyBatch(
      base(of: blocks), nil, &failure, order, blocks.count, scale, damping, workspace.threads)
    if status == FK_NOT_POSITIVE_DEFINITE {
      throw .notPositiveDefinite(
        FactorizationFailure(
          parameter: parameter, neuron: blocks.lowerBound + failure.block, pivot: failure.pivot, value: failure.value,
          failedBlocks: failure.failed_blocks, blocks: count, order: order, damping: damping))
    }
    try check(status, "Cholesky factors of order \(order)")
  }

  /// Replaces some blocks by their Cholesky factors, reciprocals of the pivots on the diagonals, whatever becomes of them:
  /// `info` of a block is 0, or 1 + the first pivot that was not positive. Cost md³/3 flops.
  /// - Returns: whether all have factors.
  mutating func factor(blocks: Range<Int>, info: inout [Int], workspace: borrowing BlockWorkspace) -> Bool {
    demand(info.count >= blocks.upperBound, "expected room for \(blocks.upperBound) pivots")
    let (first, order, threads) = (base(of: blocks), order, workspace.threads)
    let status = info.withUnsafeMutableBufferPointer { info in
      Scalar._kernels.choleskyBatch(
        first, info.baseAddress.map { $0 + blocks.lowerBound }, nil, order, blocks.count, 1, 0, threads)
    }
    demand(status == FK_OK || status == FK_NOT_POSITIVE_DEFINITE, "kernel status \(status.rawValue)")
    return status == FK_OK
  }

  /// Replaces row i of `vectors` (m,d) by L_i⁻ᵀL_i⁻¹ times it, where self has the factors L_i. Cost 2md² flops.
  public func solve(_ vectors: inout Matrix<Scalar>, workspace: borrowing BlockWorkspace) {
    apply(Scalar._kernels.choleskyBatchSolve, &vectors, workspace)
  }

  /// Replaces every factor L_i by the inverse (L_iL_iᵀ)⁻¹. Cost 2md³/3 flops.
  public mutating func invert(blocks: Range<Int>? = nil, workspace: borrowing BlockWorkspace) {
    let blocks = blocks ?? 0..<count
    demandFit(workspace)
    check(Scalar._kernels.choleskyBatchInverse(base(of: blocks), order, blocks.count, workspace.threads))
  }

  /// Where a run of blocks begins.
  private func base(of blocks: Range<Int>) -> UnsafeMutablePointer<Scalar> {
    demand(blocks.lowerBound >= 0 && blocks.upperBound <= count, "blocks \(blocks) are outside of \(count)")
    demand(
      blocks.lowerBound % Self.lanes == 0 && (blocks.upperBound % Self.lanes == 0 || blocks.upperBound == count),
      "expected whole groups of \(Self.lanes) blocks, found \(blocks)")
    return storage.base + blocks.lowerBound * (order * (order + 1) / 2)
  }

  /// Replaces row i of `vectors` (m,d) by G_i times it. Cost 2md² flops, and each element read once, where a solve with factors
  /// reads it twice.
  public func multiply(_ vectors: inout Matrix<Scalar>, workspace: borrowing BlockWorkspace) {
    apply(Scalar._kernels.symmetricBatchMultiply, &vectors, workspace)
  }

  /// Replaces each row g_i of `gradient` (m,d) by UᵀG_iUg_i + outside_i (g_i − UᵀUg_i) for a subspace U (order, d); `inside` and
  /// `result` (m, order) are room. Cost 4m·order·d + 2m·order² flops.
  func multiply(
    _ gradient: inout Matrix<Scalar>, in basis: borrowing Matrix<Scalar>, outside: [Double],
    inside: inout Matrix<Scalar>, result: inout Matrix<Scalar>, workspace: borrowing BlockWorkspace
  ) {
    demandShape(of: inside)
    demandShape(of: result)
    demandFit(workspace)
    demand(
      basis.rows >= order && basis.columns == gradient.columns && gradient.rows == count && outside.count == count,
      "expected a subspace of \(gradient.columns) inputs, found \(basis.shape)")
    let (g, inner, out) = (gradient.storage.base, inside.storage.base, result.storage.base)
    outside.withUnsafeBufferPointer { outside in
      check(
        Scalar._kernels.projectedMultiply(
          g, gradient.stride, inner, inside.stride, out, result.stride, basis.storage.base, basis.stride, storage.base,
          outside.baseAddress, gradient.columns, order, count, workspace.buffer.base, workspace.buffer.count,
          workspace.threads))
    }
  }

  /// A kernel that takes the blocks and a vector for each, and writes the results over them.
  private func apply(
    _ kernel: _KernelTable<Scalar>.OnVectors, _ vectors: inout Matrix<Scalar>, _ workspace: borrowing BlockWorkspace
  ) {
    demandShape(of: vectors)
    demandFit(workspace)
    check(
      kernel(
        vectors.storage.base, vectors.stride, storage.base, vectors.storage.base, vectors.stride, order, count,
        workspace.buffer.base, workspace.buffer.count, workspace.threads))
  }
}

extension BlockBatch {
  /// A vector for each block.
  private func demandShape(of vectors: borrowing Matrix<Scalar>) {
    demand(
      vectors.rows == count && vectors.columns == order, "expected \(count) vectors of \(order), found \(vectors.shape)"
    )
  }

  private func demandFit(_ workspace: borrowing BlockWorkspace) {
    demand(
      workspace.order == order && workspace.count == count,
      "work space for \(workspace.count) blocks of order \(workspace.order), expected \(count) of order \(order)")
  }
}

/// Memory that the operations of a ``BlockBatch`` work in, sized once for their threads: ``BlockBatch/makeWorkspace(samples:)``.
/// It serves all batches of that shape and precision, one at a time.
public struct BlockWorkspace: ~Copyable {
  let buffer: AlignedBuffer<UInt8>
  let threads: Int32
  /// The most samples at a time, and the shape of the blocks.
  public let samples: Int
  public let count: Int
  public let order: Int

  public var bytes: Int { buffer.count }

  /// What it takes, or the largest number where that cannot be addressed.
  static func bytes<S: KernelScalar>(_: S.Type, count: Int, order: Int, samples: Int) -> Int {
    let threads = Int32(Compute.threads)
    let sizes = [
      S._kernels.gramWeightedBatchWorkSize(samples, order, count, threads),
      S._kernels.choleskyBatchSolveWorkSize(order, count, threads),
      S._kernels.symmetricBatchMultiplyWorkSize(order, count, threads),
    ]
    return sizes.contains { $0 < 0 } ? .max : sizes.max() ?? 0
  }
}
