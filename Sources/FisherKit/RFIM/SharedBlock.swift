/// diag[Ĝ, …, Ĝ] with one block Ĝ = ν (1/n) Σ_s x̃_sx̃_sᵀ for all m neurons: a linear layer, ν = 1/σ² (section 2.5).
///
/// Memory: d² elements. Forming it costs n d² flops, a product 2md², a solve d³/3 + 2md², the spectrum 4/3 d³.
public final class SharedBlock<Scalar: KernelScalar>: RFIM {
  private let shared: Matrix<Scalar>
  public let neurons: Int

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included; `neurons`: m.
  public init(inputs x: borrowing Matrix<Scalar>, nu: Double, neurons: Int) throws(FisherError) {
    precondition(x.rows > 0, "expected at least one row of inputs")
    precondition(neurons >= 0 && nu >= 0 && nu.isFinite, "expected neurons and a ν from 0 up")
    var shared = try Matrix<Scalar>(rows: x.columns, columns: x.columns, what: "block of order \(x.columns)")
    shared.setToGram(x, alpha: nu / Double(x.rows), beta: 0)
    shared.symmetrize()
    self.shared = shared
    self.neurons = neurons
  }

  public var order: Int { shared.columns }
  public var bytes: Int { shared.bytes }
  public var isBlockDiagonal: Bool { true }

  public func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar> {
    checkIndex(i)
    checkIndex(j)
    var matrix = try Matrix<Scalar>(rows: order, columns: order, what: "block of order \(order)")
    if i == j { matrix.copy(from: shared) }
    return matrix
  }

  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) {
    checkShape(vectors)
    checkShape(product)
    product.setToProduct(vectors, .none, shared, .none, inner: order, outputColumns: order)
  }

  /// Takes the memory of the block once more. All routes are the dense one here.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    try checkMemory(bytes, memoryCap, "Cholesky factor of order \(order)", instead: "raise the cap")
    var factor = try Matrix<Scalar>(rows: order, columns: order, what: "Cholesky factor of order \(order)")
    factor.copy(from: shared)
    try factor.factor(damping: damping, parameter: "Fisher matrix")
    vectors.solve(factor: factor)
    return SolveReport(route: .dense, iterations: 0)
  }

  /// The eigenvalues of the block, each m times.
  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    guard neurons > 0 else { return Spectrum([]) }
    return Spectrum(
      try spectrum(ofNeuron: 0).eigenvalues.flatMap { Array(repeating: $0, count: neurons) },
      unit: Double(Scalar.ulpOfOne))
  }
}
