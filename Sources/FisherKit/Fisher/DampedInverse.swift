/// (Ĝ + λI)⁻¹, ready to be applied again and again without allocating.
protocol DampedInverse<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  var bytes: Int { get }
  /// Replaces V (m,d) by the solution.
  func solve(_ vectors: inout Matrix<Scalar>) throws(FisherError)
}

/// By the Cholesky factor of the whole (md, md) matrix.
final class DenseFactor<Scalar: KernelScalar>: DampedInverse {
  private let factor: Matrix<Scalar>
  private var flat: Matrix<Scalar>

  init(_ fisher: any RFIM<Scalar>, damping: Double, memoryCap: Int, parameter: String) throws(FisherError) {
    var factor = try fisher.dense(memoryCap: memoryCap)
    try factor.factor(damping: damping, parameter: parameter)
    flat = try Matrix(rows: 1, columns: factor.rows, what: "right-hand side")
    self.factor = factor
  }

  var bytes: Int { factor.bytes + flat.bytes }

  func solve(_ vectors: inout Matrix<Scalar>) {
    flat.reshape(vectors)
    flat.solve(factor: factor)
    vectors.reshape(flat)
  }
}
