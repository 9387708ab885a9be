/// diag[Ĝ_1, …, Ĝ_m] with a block for each neuron, Ĝ_i = (1/n) Σ_s ν_i(s) x̃_sx̃_sᵀ: a non-linear layer (section 2.6), or
/// with m = 1 a single neuron (sections 2.1 to 2.4).
///
/// Memory: m blocks of d(d+1)/2 elements, the n samples X̃, and ν (n,m) in double precision, which a solve goes back to.
/// Forming it costs m n d (d+1) flops, a product 2md², and the spectrum 4/3 md³.
public final class NeuronBlocks<Scalar: KernelScalar>: RFIM {
  let blocks: BlockBatch<Scalar>
  let origin: Origin
  /// Samples that are taken in at a time: bounds the work space.
  static var chunk: Int { 1024 }

  /// What the blocks were made of: samples and their ν, or the blocks as they are in double precision.
  enum Origin: Sendable {
    case samples(Observations<Scalar>, nu: Observations<Double>)
    case blocks(BlockProduct)

    var bytes: Int {
      switch self {
      case .samples(let x, let nu): x.inputs.bytes + nu.inputs.bytes
      case .blocks(let product): product.blocks.bytes
      }
    }
  }

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included.
  ///   - nu: ν (n,m).
  public convenience init(inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>) throws(FisherError) {
    try self.init(try Observations(copying: x), nu: nu)
  }

  init(_ observations: Observations<Scalar>, nu: borrowing Matrix<Scalar>) throws(FisherError) {
    blocks = try BlockBatch(inputs: observations.inputs, nu: nu)
    origin = .samples(observations, nu: Observations(try nu.inDouble(what: "ν of \(nu.rows) samples")))
  }

  /// ν in double precision, of which the blocks have what `Scalar` can hold.
  init(inputs x: borrowing Matrix<Scalar>, exactNu: consuming Matrix<Double>) throws(FisherError) {
    let nu: Matrix<Scalar> = try exactNu.converted(what: "ν of \(x.rows) samples")
    blocks = try BlockBatch(inputs: x, nu: nu)
    origin = .samples(try Observations(copying: x), nu: Observations(exactNu))
  }

  /// Takes blocks as they are.
  init(blocks exact: consuming BlockBatch<Double>) throws(FisherError) {
    var blocks = try BlockBatch<Scalar>(
      count: exact.count, order: exact.order, what: "\(exact.count) blocks of order \(exact.order)")
    for i in 0..<exact.count {
      for a in 0..<exact.order {
        for b in 0...a { blocks[i, a, b] = Scalar(exact[i, a, b]) }
      }
    }
    self.blocks = blocks
    origin = .blocks(BlockProduct(exact))
  }

  public var neurons: Int { blocks.count }
  public var order: Int { blocks.order }
  public var bytes: Int { blocks.bytes + origin.bytes }
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

  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    var eigenvalues: [Double] = []
    for i in 0..<neurons { eigenvalues += try spectrum(ofNeuron: i).eigenvalues }
    return Spectrum(eigenvalues, unit: Double(Scalar.ulpOfOne))
  }
}

extension BlockBatch {
  /// (1/n) Σ_s ν_i(s) x̃_sx̃_sᵀ for each neuron, of X̃ (n,d) and ν (n,m).
  init(inputs x: borrowing Matrix<Scalar>, nu: borrowing Matrix<Scalar>) throws(FisherError) {
    demand(x.rows == nu.rows && x.rows > 0, "expected as many rows of inputs as of ν, at least one")
    var blocks = try BlockBatch(
      count: nu.columns, order: x.columns, what: "\(nu.columns) blocks of order \(x.columns)")
    let chunk = NeuronBlocks<Scalar>.chunk
    let workspace = try blocks.makeWorkspace(samples: min(x.rows, chunk))
    for first in stride(from: 0, to: x.rows, by: chunk) {
      blocks.accumulateGram(
        inputs: x, nu: nu, rows: first..<min(first + chunk, x.rows), alpha: 1 / Double(x.rows),
        beta: first == 0 ? 0 : 1, workspace: workspace)
    }
    self = blocks
  }
}
