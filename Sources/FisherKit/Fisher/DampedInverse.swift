/// (Ĝ + λI)⁻¹, ready to be applied again and again without allocating.
protocol DampedInverse<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  var bytes: Int { get }
  /// Replaces V (m,d) by the solution.
  func solve(_ vectors: inout Matrix<Scalar>) throws(FisherError)
}

/// By the Cholesky factor of the whole (md, md) matrix.
final class DenseFactor<Scalar: KernelScalar>: DampedInverse, State {
  private var factor: Matrix<Scalar>
  private var flat: Matrix<Scalar>

  init(_ fisher: any RFIM<Scalar>, damping: Double, memoryCap: Int, parameter: String) throws(FisherError) {
    var factor = try fisher.dense(memoryCap: memoryCap)
    try factor.factor(damping: damping, parameter: parameter)
    flat = try Matrix(rows: 1, columns: factor.rows, what: "right-hand side")
    self.factor = factor
  }

  /// Room for one that is restored.
  init(order: Int, what: String) throws(FisherError) {
    factor = try Matrix(rows: order, columns: order, what: what)
    flat = try Matrix(rows: 1, columns: order, what: what)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("factor", &factor)
    visitor.scratch("right-hand side", flat)
  }

  func solve(_ vectors: inout Matrix<Scalar>) {
    flat.reshape(vectors)
    flat.solve(factor: factor)
    vectors.reshape(flat)
  }
}
