/// The exact matrix of coupled neurons, (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ, all of them together, by its Cholesky factor.
///
/// Memory: (md)² elements; what a refresh forms it from is made anew. Cost of a refresh with n samples: n m(m+1)/2 d(d+1) +
/// (md)³/3 flops; of a step: 2(md)².
final class CoupledInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let coupling: any Coupling
  private let factors: DenseFactors<Scalar>
  /// The gradient as one row.
  private var row: Matrix<Scalar>
  private var nu: Matrix<Scalar>
  let bytes: Int

  /// - Throws: `exceedsMemoryCap` where the matrix takes more than 256 MB.
  init(
    for site: CurvatureSite<Scalar>, coupling: any Coupling, order: Int, samples: Int
  ) throws(FisherError) {
    (self.site, self.coupling) = (site, coupling)
    let limit = 1 << 28
    bytes = Self.bytes(for: site, coupling: coupling, order: order, samples: samples)
    guard SoftmaxInverse<Scalar>.fits(site, order: order, limit: limit) else {
      throw .exceedsMemoryCap(
        what: "\(site.name): the matrix of \(site.neurons) coupled neurons", bytes: bytes, cap: limit,
        instead: "the projected metric with a smaller rank, or the diagonal one, takes less")
    }
    let size = site.neurons * order
    factors = try DenseFactors(for: site, order: size, whole: site.neurons * site.order)
    row = try Matrix(rows: 1, columns: size, what: "\(site.name): gradient as a row")
    nu = try Matrix(rows: samples, columns: site.neurons, what: "\(site.name): ν of \(samples) samples")
  }

  /// Before anything is allocated: the factors, and beside them the samples with their roots, and a row of blocks.
  static func bytes(for site: CurvatureSite<Scalar>, coupling: any Coupling, order: Int, samples n: Int) -> Int {
    let (m, k) = (site.neurons, coupling.rank(neurons: site.neurons))
    let (size, overflow) = m.multipliedReportingOverflow(by: order)
    let (roots, tooMany) = n.multipliedReportingOverflow(by: k)
    if overflow || tooMany { return .max }
    return sum(
      ofBytes: DenseFactors<Scalar>.bytes(for: site, order: size), site.bytes(1, size), site.bytes(n, order),
      site.bytes(n, m), site.bytes(n, m), site.bytes(roots, m), site.bytes(n, m), site.bytes(n, m),
      site.blockBytes(order: order))
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("factors", factors)
    visitor.scratch("row", row)
    visitor.scratch("ν", nu)
  }

  /// z itself: what the A_s are made of at a refresh.
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) { weights.copy(from: z) }

  func addNu(of z: borrowing Matrix<Scalar>, to sums: inout [Double]) {
    nu.resize(rows: z.rows)
    site.subsystem.nu(&nu, preactivations: z)
    nu.addColumns(to: &sums)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights z: borrowing Matrix<Scalar>) throws(FisherError) {
    let block = try SampledBlock<Scalar>(
      inputs: inputs, source: try CouplingSource<Scalar>(coupling, preactivations: z))
    try factors.refresh(
      form: { (matrix) throws(FisherError) in try block.write(to: &matrix) },
      formDouble: { (matrix) throws(FisherError) in try block.inDouble().write(to: &matrix) })
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    row.reshape(vectors)
    factors.solve(&row)
    vectors.reshape(row)
  }
}
