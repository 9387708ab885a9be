/// One block ν X̃ᵀX̃/n for all neurons of a layer, by its Cholesky factor.
///
/// Memory: d² elements. Cost of a refresh: n d² + d³/3 flops; of a step: 2md².
final class SharedBlockInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let nu: Double
  private var factor: Matrix<Scalar>

  init(for site: CurvatureSite<Scalar>, order: Int, nu: Double) throws(FisherError) {
    self.site = site
    self.nu = nu
    factor = try Matrix(rows: order, columns: order, what: "\(site.name): Cholesky factor of order \(order)")
  }

  var bytes: Int { factor.bytes }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.fill(with: Scalar(nu))
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    factor.setToGram(inputs, alpha: nu / Double(inputs.rows), beta: 0)
    try factor.factor(damping: site.damping, parameter: site.name)
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { vectors.solve(factor: factor) }
}
