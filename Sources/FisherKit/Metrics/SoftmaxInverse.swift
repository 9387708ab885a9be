/// The exact matrix of a softmax layer, all classes together (eq 10), by its Cholesky factor.
///
/// Memory: (md)² elements. Cost of a refresh with n samples: n m(m+1)/2 d(d+1) + (md)³/3 flops; of a step: 2(md)².
final class SoftmaxInverse<Scalar: KernelScalar>: WindowInverse {
  private let factors: DenseFactors<Scalar>
  private let work: AlignedBuffer<UInt8>
  /// The gradient as one row.
  private var row: Matrix<Scalar>

  init(for site: CurvatureSite<Scalar>, order: Int, samples: Int) throws(FisherError) {
    let size = site.neurons * order
    factors = try DenseFactors(for: site, order: size, whole: site.neurons * site.order)
    work = try Matrix<Scalar>.softmaxBlockWorkspace(samples: samples, order: order, classes: site.neurons)
    row = try Matrix(rows: 1, columns: size, what: "\(site.name): gradient as a row")
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("factors", factors)
    visitor.scratch("work", bytes: work.count)
    visitor.scratch("row", row)
  }

  /// The same, before anything is allocated, of a matrix that ``fits(_:order:limit:)``.
  static func bytes(for site: CurvatureSite<Scalar>, order: Int, samples: Int) -> Int {
    let size = site.neurons * order
    return sum(
      ofBytes: DenseFactors<Scalar>.bytes(for: site, order: size), site.bytes(1, size),
      Scalar._kernels.softmaxBlockDenseWorkSize(samples, order, site.neurons, Int32(Compute.threads)))
  }

  /// η
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.setToSoftmax(of: z)
  }

  /// η(1 − η)
  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { weights.addVariances(to: &sums) }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let alpha = 1 / Double(inputs.rows)
    try factors.refresh(
      form: { (matrix) throws(FisherError) in
        matrix.setToSoftmaxBlock(inputs: inputs, eta: weights, alpha: alpha, onlyLower: true, work: work)
      },
      formDouble: { (matrix) throws(FisherError) in
        var x = try Matrix<Double>(rows: inputs.rows, columns: inputs.columns, what: "inputs in double precision")
        x.copy(converting: inputs)
        var eta = try Matrix<Double>(rows: weights.rows, columns: weights.columns, what: "η in double precision")
        eta.copy(converting: weights)
        let space = try Matrix<Double>.softmaxBlockWorkspace(
          samples: x.rows, order: x.columns, classes: eta.columns)
        matrix.setToSoftmaxBlock(inputs: x, eta: eta, alpha: alpha, onlyLower: true, work: space)
      })
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    row.reshape(vectors)
    factors.solve(&row)
    vectors.reshape(row)
  }

  /// Whether the dense matrix takes no more than `limit` bytes.
  static func fits(_ site: CurvatureSite<Scalar>, order: Int, limit: Int = 1 << 28) -> Bool {
    let (size, overflow) = site.neurons.multipliedReportingOverflow(by: order)
    guard !overflow, let bytes = try? Matrix<Scalar>.bytes(rows: size, columns: size) else { return false }
    return bytes <= limit
  }
}
