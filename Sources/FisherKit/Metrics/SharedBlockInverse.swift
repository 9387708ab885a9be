/// One block ν X̃ᵀX̃/n for all neurons of a layer, by its Cholesky factor.
///
/// Cost of a refresh: n d² + d³/3 flops; of a step: 2md².
final class SharedBlockInverse<Scalar: KernelScalar>: WindowInverse {
  private let nu: Double
  private let factors: DenseFactors<Scalar>

  init(for site: CurvatureSite<Scalar>, order: Int, nu: Double) throws(FisherError) {
    self.nu = nu
    factors = try DenseFactors(for: site, order: order, whole: site.order)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws { try visitor.child("factors", factors) }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.fill(with: Scalar(nu))
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let alpha = nu / Double(inputs.rows)
    try factors.refresh(
      form: { (matrix) throws(FisherError) in matrix.setToGram(inputs, alpha: alpha, beta: 0) },
      formDouble: { (matrix) throws(FisherError) in
        var x = try Matrix<Double>(rows: inputs.rows, columns: inputs.columns, what: "inputs in double precision")
        x.copy(converting: inputs)
        matrix.setToGram(x, alpha: alpha, beta: 0)
      })
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { factors.solve(&vectors) }
}
