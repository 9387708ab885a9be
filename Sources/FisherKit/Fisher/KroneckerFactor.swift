/// (A ⊗ S + λI)⁻¹ in the eigenvectors of both factors, A = Q_AᵀΛ_AQ_A and S = Q_SᵀΛ_SQ_S:
///
///     V ← Q_Aᵀ [(Q_A V Q_Sᵀ) / (α_i σ_j + λ)] Q_S
///
/// It fails for no damping above 0, however singular they are. Memory: m² + d² and what their decomposition works in, 2(m² +
/// d²), and two matrices (m,d). Cost of a decomposition: about 9(m³ + d³) flops; of a solve: 4md(m + d).
final class KroneckerFactor<Scalar: KernelScalar>: DampedInverse, State {
  private var ofOutputs: Eigenbasis<Scalar>
  private var ofInputs: Eigenbasis<Scalar>
  private var first: Matrix<Scalar>
  private var second: Matrix<Scalar>
  /// λ
  var damping = 0.0

  init(neurons m: Int, order d: Int, what: String) throws(FisherError) {
    ofOutputs = try Eigenbasis(order: m, what: "\(what): outputs")
    ofInputs = try Eigenbasis(order: d, what: "\(what): inputs")
    first = try Matrix(rows: m, columns: d, what: "\(what): gradient")
    second = try Matrix(rows: m, columns: d, what: "\(what): gradient")
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.value("outputs", &ofOutputs)
    try visitor.value("inputs", &ofInputs)
    try visitor.visit("damping", &damping)
    visitor.scratch("gradient", first)
    visitor.scratch("turned gradient", second)
  }

  /// The same, before anything is allocated.
  static func bytes(neurons m: Int, order d: Int) -> Int {
    let room = (try? Matrix<Scalar>.bytes(rows: m, columns: d)) ?? .max
    return sum(ofBytes: Eigenbasis<Scalar>.bytes(order: m), Eigenbasis<Scalar>.bytes(order: d), room, room)
  }

  /// Takes A and S, by their lower triangles.
  /// - Throws: `nonFinite` or `notConverged`.
  func set(
    outputs: (inout Matrix<Scalar>) throws(FisherError) -> Void,
    inputs: (inout Matrix<Scalar>) throws(FisherError) -> Void
  ) throws(FisherError) {
    try ofOutputs.set(outputs)
    try ofInputs.set(inputs)
  }

  /// The least eigenvalue of A ⊗ S + λI.
  var smallest: Double { (ofOutputs.values.first ?? 0) * (ofInputs.values.first ?? 0) + damping }

  func solve(_ vectors: inout Matrix<Scalar>) {
    let (m, d) = (ofOutputs.order, ofInputs.order)
    first.setToProduct(vectors, .none, ofInputs.vectors, .transposed, inner: d, outputColumns: d)
    second.setToProduct(ofOutputs.vectors, .none, first, .none, inner: m, outputColumns: d)
    second.divide(byProductsOf: ofOutputs.values, ofInputs.values, damping: damping)
    first.setToProduct(ofOutputs.vectors, .transposed, second, .none, inner: m, outputColumns: d)
    vectors.setToProduct(first, .none, ofInputs.vectors, .none, inner: d, outputColumns: d)
  }
}

extension Matrix {
  /// Element (i, j) divided by a_i b_j + damping.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func divide(byProductsOf a: [Double], _ b: [Double], damping: Double) {
    demand(rows == a.count && columns == b.count, "eigenvalues of another shape")
    for i in 0..<rows {
      let (row, factor) = (storage.base + i * stride, a[i])
      for j in 0..<columns { row[j] = Scalar(Double(row[j]) / (factor * b[j] + damping)) }
    }
  }
}
