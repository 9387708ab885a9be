/// The exact relative Fisher matrix of every neuron, Ĝ_i = (1/n) Σ ν_i x̃x̃ᵀ (section 2.6), over the window of the
/// samples seen since the last refresh. A softmax layer has one matrix for all its classes (eq 10), unless that takes
/// more than 256 MB.
///
/// Memory: m blocks of d(d+1)/2 elements, twice when more than 8192 samples lie between two refreshes, and the window of
/// at most 8192 samples. Cost of a refresh with n samples: m n d(d+1) + m d³/3 flops;
/// of a step: 2md².
public struct ExactMetric: Metric {
  public init() {}

  public var name: String { "exact" }

  public func makeCurvature<S: KernelScalar>(
    for site: CurvatureSite, _: S.Type
  ) throws(FisherError) -> any Curvature<S> {
    // With a constant ν all neurons have the same block, and one factor serves them all.
    if let nu = site.subsystem.constantNu { return try SharedBlockCurvature<S>(for: site, nu: nu) }
    if site.subsystem is SoftmaxLayer, SoftmaxCurvature<S>.fits(site) { return try SoftmaxCurvature<S>(for: site) }
    return try NeuronBlocksCurvature<S>(for: site)
  }
}

/// A d×d block for every neuron, estimated from the window.
final class NeuronBlocksCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite
  private let workspace: BlockWorkspace
  private var window: SampleWindow<Scalar>
  private var batchNu: Matrix<Scalar>
  private var factors: BlockBatch<Scalar>
  /// Sums of samples that no longer fit the window.
  private var folded: BlockBatch<Scalar>
  private var foldedSamples = 0
  private var isFactored = false

  init(for site: CurvatureSite) throws(FisherError) {
    self.site = site
    let (m, d) = (site.neurons, site.order)
    let capacity = SampleWindow<Scalar>.plannedCapacity(for: site)
    window = try SampleWindow(capacity: capacity, order: d, neurons: m, name: site.name)
    batchNu = try Matrix(rows: site.batchSize, columns: m, what: "\(site.name): ν of a batch")
    factors = try BlockBatch(count: m, order: d, what: "\(site.name): Cholesky factors of \(m) blocks of order \(d)")
    let folds = capacity / site.batchSize < site.refreshInterval
    folded = try BlockBatch(count: folds ? m : 0, order: d, what: "\(site.name): \(m) blocks of order \(d)")
    workspace = try factors.makeWorkspace(samples: capacity)
  }

  var bytes: Int { window.bytes + batchNu.bytes + factors.bytes + folded.bytes + workspace.bytes }

  func observe(inputs: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) throws(FisherError) {
    if !window.hasRoom(for: inputs.rows) { try fold() }
    batchNu.resize(rows: z.rows)
    site.subsystem.nu(&batchNu, preactivations: z)
    window.append(inputs: inputs, nu: batchNu)
  }

  /// Adds the window to the sums, and empties it.
  private func fold() throws(FisherError) {
    if folded.count == 0 {
      // More observations between two refreshes than were announced.
      folded = try BlockBatch(count: site.neurons, order: site.order, what: "\(site.name): sums of the window")
    }
    folded.accumulateGram(
      inputs: window.inputs, nu: window.nu, alpha: 1, beta: foldedSamples == 0 ? 0 : 1, workspace: workspace)
    foldedSamples += window.samples
    window.removeAll()
  }

  func refresh() throws(FisherError) -> FactorizationFailure? {
    let samples = foldedSamples + window.samples
    Swift.precondition(samples > 0, "a refresh needs at least one observation")
    isFactored = false
    // The last samples go where the others are, and those blocks are factored: no copy of them, no pass to scale them.
    if foldedSamples > 0 { swap(&factors, &folded) }
    factors.accumulateGram(
      inputs: window.inputs, nu: window.nu, alpha: 1, beta: foldedSamples > 0 ? 1 : 0, workspace: workspace)
    foldedSamples = 0
    window.removeAll()
    try factors.factor(
      scale: 1 / Double(samples), damping: site.damping, parameter: site.name, workspace: workspace)
    isFactored = true
    return nil
  }

  func precondition(_ gradient: inout Matrix<Scalar>) {
    Swift.precondition(isFactored, "\(site.name): the curvature was not refreshed, or its factorisation failed")
    factors.solve(&gradient, workspace: workspace)
  }
}
