/// The exact matrix of a softmax layer, all classes together (eq 10), over the window of the samples seen since the last
/// refresh.
///
/// Memory: (md)² elements, three times as many when more than 8192 samples lie between two refreshes, and the window.
/// Cost of a refresh with n samples: n m(m+1)/2 d(d+1) + (md)³/3 flops; of a step: 2(md)².
final class SoftmaxCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite
  private var window: SampleWindow<Scalar>
  private var batchEta: Matrix<Scalar>
  private var factor: Matrix<Scalar>
  /// Sums of samples that no longer fit the window, and what is about to be added to them.
  private var folded: Matrix<Scalar>
  private var part: Matrix<Scalar>
  private var foldedSamples = 0
  /// The gradient as one row.
  private var row: Matrix<Scalar>
  private var isFactored = false

  /// Above this the layer's neurons are taken one by one.
  static var memoryLimit: Int { 1 << 28 }

  /// Whether the dense matrix of the site is small enough.
  static func fits(_ site: CurvatureSite) -> Bool {
    let (size, overflow) = site.neurons.multipliedReportingOverflow(by: site.order)
    guard !overflow, let bytes = try? Matrix<Scalar>.bytes(rows: size, columns: size) else { return false }
    return bytes <= memoryLimit
  }

  init(for site: CurvatureSite) throws(FisherError) {
    self.site = site
    let (m, size) = (site.neurons, site.neurons * site.order)
    let capacity = SampleWindow<Scalar>.plannedCapacity(for: site)
    window = try SampleWindow(capacity: capacity, order: site.order, neurons: m, name: site.name)
    batchEta = try Matrix(rows: site.batchSize, columns: m, what: "\(site.name): probabilities of a batch")
    factor = try Matrix(rows: size, columns: size, what: "\(site.name): Cholesky factor of order \(size)")
    let foldedSize = capacity / site.batchSize < site.refreshInterval ? size : 0
    folded = try Matrix(rows: foldedSize, columns: foldedSize, what: "\(site.name): matrix of order \(size)")
    part = try Matrix(rows: foldedSize, columns: foldedSize, what: "\(site.name): matrix of order \(size)")
    row = try Matrix(rows: 1, columns: size, what: "\(site.name): gradient as a row")
  }

  var bytes: Int { window.bytes + batchEta.bytes + factor.bytes + folded.bytes + part.bytes + row.bytes }

  func observe(inputs: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) throws(FisherError) {
    if !window.hasRoom(for: inputs.rows) { try fold() }
    batchEta.resize(rows: z.rows)
    batchEta.setToSoftmax(of: z)
    window.append(inputs: inputs, nu: batchEta)
  }

  /// Adds the window to the sums, and empties it.
  private func fold() throws(FisherError) {
    if folded.rows == 0 {
      // More observations between two refreshes than were announced.
      folded = try Matrix(rows: factor.rows, columns: factor.rows, what: "\(site.name): sums of the window")
      part = try Matrix(rows: factor.rows, columns: factor.rows, what: "\(site.name): sums of the window")
    }
    try part.setToSoftmaxBlock(inputs: window.inputs, eta: window.nu, alpha: 1, onlyLower: true)
    folded.combine(foldedSamples == 0 ? 0 : 1, 1, part)
    foldedSamples += window.samples
    window.removeAll()
  }

  func refresh() throws(FisherError) -> FactorizationFailure? {
    let samples = foldedSamples + window.samples
    Swift.precondition(samples > 0, "a refresh needs at least one observation")
    isFactored = false
    let scale = 1 / Double(samples)
    try factor.setToSoftmaxBlock(inputs: window.inputs, eta: window.nu, alpha: scale, onlyLower: true)
    if foldedSamples > 0 { factor.combine(1, scale, folded) }
    foldedSamples = 0
    window.removeAll()
    try factor.factor(damping: site.damping, parameter: site.name)
    isFactored = true
    return nil
  }

  func precondition(_ gradient: inout Matrix<Scalar>) {
    Swift.precondition(isFactored, "\(site.name): the curvature was not refreshed, or its factorisation failed")
    row.reshape(gradient)
    row.solve(factor: factor)
    gradient.reshape(row)
  }
}
