/// The exact matrix of a softmax layer, all classes together (eq 10), by its Cholesky factor.
///
/// Memory: (md)² elements. Cost of a refresh with n samples: n m(m+1)/2 d(d+1) + (md)³/3 flops; of a step: 2(md)².
final class SoftmaxInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private var factor: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>
  /// The gradient as one row.
  private var row: Matrix<Scalar>

  init(for site: CurvatureSite<Scalar>, order: Int, samples: Int) throws(FisherError) {
    self.site = site
    let size = site.neurons * order
    factor = try Matrix(rows: size, columns: size, what: "\(site.name): Cholesky factor of order \(size)")
    work = try Matrix<Scalar>.softmaxBlockWorkspace(samples: samples, order: order, classes: site.neurons)
    row = try Matrix(rows: 1, columns: size, what: "\(site.name): gradient as a row")
  }

  var bytes: Int { factor.bytes + work.count + row.bytes }

  /// η
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.setToSoftmax(of: z)
  }

  /// η(1 − η)
  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { weights.addVariances(to: &sums) }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    factor.setToSoftmaxBlock(inputs: inputs, eta: weights, alpha: 1 / Double(inputs.rows), onlyLower: true, work: work)
    try factor.factor(damping: site.damping, parameter: site.name)
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    row.reshape(vectors)
    row.solve(factor: factor)
    vectors.reshape(row)
  }

  /// Whether the dense matrix takes no more than `limit` bytes.
  static func fits(_ site: CurvatureSite<Scalar>, order: Int, limit: Int = 1 << 28) -> Bool {
    let (size, overflow) = site.neurons.multipliedReportingOverflow(by: order)
    guard !overflow, let bytes = try? Matrix<Scalar>.bytes(rows: size, columns: size) else { return false }
    return bytes <= limit
  }
}
