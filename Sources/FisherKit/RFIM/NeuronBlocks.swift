/// diag[Ĝ_1, …, Ĝ_m] with a block for each neuron, Ĝ_i = (1/n) Σ_s ν_i(s) x̃_sx̃_sᵀ: a non-linear layer (section 2.6), or
/// with m = 1 a single neuron (sections 2.1 to 2.4).
///
/// Memory: m blocks of d(d+1)/2 elements. Forming it costs m n d (d+1) flops, a product 2md², a solve md³/3 + 2md² and
/// the spectrum 4/3 md³.
public final class NeuronBlocks<Scalar: KernelScalar>: RFIM {
  private let blocks: BlockBatch<Scalar>
  /// Samples that are taken in at a time: bounds the work space.
  private static var chunk: Int { 1024 }

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included.
  ///   - nu: ν (n,m).
  public init(inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>) throws(FisherError) {
    precondition(x.rows == nu.rows && x.rows > 0, "expected as many rows of inputs as of ν, at least one")
    var blocks = try BlockBatch<Scalar>(
      count: nu.columns, order: x.columns, what: "\(nu.columns) blocks of order \(x.columns)")
    let workspace = try blocks.makeWorkspace(samples: min(x.rows, Self.chunk))
    for first in stride(from: 0, to: x.rows, by: Self.chunk) {
      blocks.accumulateGram(
        inputs: x, nu: nu, rows: first..<min(first + Self.chunk, x.rows), alpha: 1 / Double(x.rows),
        beta: first == 0 ? 0 : 1, workspace: workspace)
    }
    self.blocks = blocks
  }

  /// Takes blocks as they are.
  init(blocks: consuming BlockBatch<Scalar>) { self.blocks = blocks }

  public var neurons: Int { blocks.count }
  public var order: Int { blocks.order }
  public var bytes: Int { blocks.bytes }
  public var isBlockDiagonal: Bool { true }

  public func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar> {
    checkIndex(i)
    checkIndex(j)
    var matrix = try Matrix<Scalar>(rows: order, columns: order, what: "block of order \(order)")
    if i == j {
      for a in 0..<order {
        for b in 0..<order { matrix[a, b] = blocks[i, a, b] }
      }
    }
    return matrix
  }

  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) {
    checkShape(vectors)
    checkShape(product)
    blocks.multiply(&product, vectors)
  }

  /// Takes the memory of the blocks once more. All routes are the dense one here, block by block.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    try checkMemory(
      bytes, memoryCap, "Cholesky factors of \(neurons) blocks of order \(order)",
      instead: "fewer neurons at a time fit")
    try DampedBlocks(self, damping: damping).solve(&vectors)
    return SolveReport(route: .dense, iterations: 0)
  }

  func copyOfBlocks() throws(FisherError) -> BlockBatch<Scalar> {
    var copy = try BlockBatch<Scalar>(count: neurons, order: order, what: "\(neurons) blocks of order \(order)")
    copy.copy(from: blocks)
    return copy
  }

  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    var eigenvalues: [Double] = []
    for i in 0..<neurons { eigenvalues += try spectrum(ofNeuron: i).eigenvalues }
    return Spectrum(eigenvalues, unit: Double(Scalar.ulpOfOne))
  }
}
