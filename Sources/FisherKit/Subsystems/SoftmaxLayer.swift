/// A softmax layer, η = softmax(z). Its full matrix has the block (i, j) = (δ_ij η_i − η_iη_j) x̃x̃ᵀ (eq 10); neuron by
/// neuron, its diagonal blocks have ν = η(1 − η).
public struct SoftmaxLayer: Subsystem {
  public init() {}

  public var description: String { "softmax layer" }

  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    nu.setToSoftmaxNu(of: z)
  }
}

/// The matrix of a softmax layer over observed samples, the mean of (diag η − ηηᵀ) ⊗ x̃x̃ᵀ (eq 10): a sum of
/// Kronecker products, so it is kept as its samples and multiplied without being formed.
public struct SoftmaxBlock<Scalar: KernelScalar>: ~Copyable {
  private let inputs: Matrix<Scalar>
  private let eta: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>

  /// The number of classes m, and inputs with the bias d.
  public var classes: Int { eta.columns }
  public var order: Int { inputs.columns }

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included; `preactivations`: z (n,m).
  public init(
    inputs x: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    precondition(x.rows == z.rows && x.rows > 0, "expected as many rows of inputs as of pre-activations, at least one")
    var inputs = try Matrix<Scalar>(rows: x.rows, columns: x.columns, what: "inputs of the softmax block")
    inputs.copy(from: x)
    var eta = try Matrix<Scalar>(rows: z.rows, columns: z.columns, what: "probabilities of the softmax block")
    eta.setToSoftmax(of: z)
    let work = try Matrix<Scalar>.softmaxMatvecWorkspace(samples: z.rows, classes: z.columns)
    self.inputs = inputs
    self.eta = eta
    self.work = work
  }

  /// The dense matrix (md, md), neuron by neuron. Cost n m(m+1)/2 d(d+1) flops and (md)² elements.
  public func dense() throws(FisherError) -> Matrix<Scalar> {
    let (size, overflow) = order.multipliedReportingOverflow(by: classes)
    guard !overflow else { throw .sizeOverflow(what: "softmax block of \(classes) classes and \(order) inputs") }
    var matrix = try Matrix<Scalar>(rows: size, columns: size, what: "softmax block of order \(size)")
    try matrix.setToSoftmaxBlock(inputs: inputs, eta: eta, alpha: 1 / Double(inputs.rows))
    return matrix
  }

  /// product (m,d) = the matrix times V (m,d), row i for neuron i. Cost 4nmd flops; nothing is allocated.
  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) {
    product.setToSoftmaxProduct(
      inputs: inputs, eta: eta, vectors: vectors, alpha: 1 / Double(inputs.rows), work: work)
  }
}
