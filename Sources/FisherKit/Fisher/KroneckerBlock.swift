/// Ĝ ≈ A ⊗ S with A = (1/n) Σ_s A_s (m,m) and S = (1/n) Σ_s x̃_sx̃_sᵀ (d,d): what a subsystem's matrix (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ
/// would be if its outputs' covariance and its inputs did not vary together.
///
/// A pair of layers has A = E[(Cᵀ O C) ∘ f′f′ᵀ] from eq 12, a softmax diag E[η] − E[ηηᵀ] from eq 10, independent neurons
/// diag E[ν]. Where the A_s are all the same, as of linear layers, it is the matrix itself.
///
/// Memory: m² + d² doubles. Cost of a product: 2md(m + d) flops, of a solve about 9(m³ + d³), of the spectrum 4/3 of that.
public final class KroneckerBlock<Scalar: KernelScalar>: RFIM {
  private let outputs: Matrix<Double>
  private let inputs: Matrix<Double>

  /// - Parameters:
  ///   - outputs: A (m,m); `inputs`: S (d,d), both symmetric and without negative eigenvalues.
  public init(outputs a: borrowing Matrix<Double>, inputs s: borrowing Matrix<Double>) throws(FisherError) {
    demand(a.rows == a.columns && s.rows == s.columns, "expected square factors")
    let outputs = try a.inDouble(what: "outputs' factor of order \(a.rows)")
    let inputs = try s.inDouble(what: "inputs' factor of order \(s.rows)")
    self.outputs = outputs
    self.inputs = inputs
  }

  public var neurons: Int { outputs.rows }
  public var order: Int { inputs.rows }
  public var bytes: Int { outputs.bytes + inputs.bytes }
  public var isBlockDiagonal: Bool { false }

  /// A_ij S
  public func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar> {
    checkIndex(i)
    checkIndex(j)
    var scaled = try inputs.inDouble(what: "block of order \(order)")
    scaled.scale(by: outputs[i, j])
    var block = try Matrix<Scalar>(rows: order, columns: order, what: "block of order \(order)")
    block.round(scaled)
    return block
  }

  /// A V S
  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) throws(FisherError) {
    checkShape(vectors)
    checkShape(product)
    let (m, d) = (neurons, order)
    var inner = try Matrix<Double>(rows: m, columns: d, what: "product with the inputs' factor")
    inner.setToProduct(
      try vectors.inDouble(what: "vectors"), .none, inputs, .none, inner: d, outputColumns: d)
    var all = try Matrix<Double>(rows: m, columns: d, what: "product with both factors")
    all.setToProduct(outputs, .none, inner, .none, inner: m, outputColumns: d)
    product.round(all)
  }

  /// In the eigenvectors of both factors, where the matrix is diagonal: any route is this one.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    try checkMemory(
      sum(ofBytes: Eigenbasis<Double>.bytes(order: order), Eigenbasis<Double>.bytes(order: neurons)), memoryCap,
      "eigenvectors of orders \(neurons) and \(order)", instead: "a larger cap is needed")
    let inverse = try KroneckerFactor<Double>(neurons: neurons, order: order, what: "Kronecker factors")
    try inverse.set(
      outputs: { (a) throws(FisherError) in a.copy(from: outputs) },
      inputs: { (s) throws(FisherError) in s.copy(from: inputs) })
    inverse.damping = damping
    guard inverse.smallest > 0 else {
      throw .notPositiveDefinite(
        FactorizationFailure(
          parameter: "Fisher matrix", neuron: nil, pivot: 0, value: inverse.smallest, failedBlocks: 1, blocks: 1,
          order: neurons * order, damping: damping))
    }
    return try solveInDouble(&vectors) { (solution) throws(FisherError) in
      var refinement = try Refinement(
        KroneckerProduct(outputs: outputs, inputs: inputs), damping: damping, isCoupled: true)
      return SolveReport(.dense, try refinement.solve(&solution, inverse: inverse))
    }
  }

  /// All products of an eigenvalue of A and one of S.
  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    var a = try outputs.inDouble(what: "outputs' factor")
    var s = try inputs.inDouble(what: "inputs' factor")
    let (ofOutputs, ofInputs) = (try a.symmetricEigenvalues(), try s.symmetricEigenvalues())
    return Spectrum(ofOutputs.flatMap { x in ofInputs.map { x * $0 } }, unit: Double(Scalar.ulpOfOne))
  }
}

/// (A ⊗ S)V in twice the precision.
private final class KroneckerProduct: TwofoldProduct {
  private let outputs: Matrix<Double>
  private let inputs: Matrix<Double>
  /// S Vᵀ
  private var turned: TwofoldMatrix

  init(outputs a: borrowing Matrix<Double>, inputs s: borrowing Matrix<Double>) throws(FisherError) {
    let outputs = try a.inDouble(what: "outputs' factor")
    let inputs = try s.inDouble(what: "inputs' factor")
    self.outputs = outputs
    self.inputs = inputs
    turned = try TwofoldMatrix(rows: s.rows, columns: a.rows, what: "product in twice the precision")
  }

  var neurons: Int { outputs.rows }
  var order: Int { inputs.rows }
  var additions: Int { neurons + order }

  func multiply(_ product: inout TwofoldMatrix, _ x: borrowing TwofoldMatrix) throws(FisherError) {
    try turned.setToProduct(inputs, transposed: x)
    try product.setToProduct(outputs, transposed: turned)
  }

  func traces() -> [Double] { (0..<neurons).map { outputs[$0, $0] * inputs.trace } }
}
