/// What the paper's experiment did, for comparison: the first and the last layer share one matrix per layer as if
/// linear (ν ≡ 1), the layers between have a block per neuron; each starts at the identity and is an exponential
/// average, Ĝ ← 0.995 Ĝ + 0.005 ν x̃x̃ᵀ at every mini-batch.
public struct PaperMetric: Metric {
  /// The decay of the running average, per mini-batch.
  public let decay: Double

  public init(decay: Double = 0.995) {
    precondition(decay >= 0 && decay < 1, "decay: expected a number in [0, 1), found \(decay)")
    self.decay = decay
  }

  public var name: String { "paper" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    if site.index == 0 || site.index == site.count - 1 {
      return try AveragedSharedBlock<S>(for: site, decay: decay, nu: 1)
    }
    if let nu = site.subsystem.constantNu { return try AveragedSharedBlock<S>(for: site, decay: decay, nu: nu) }
    return try AveragedNeuronBlocks<S>(for: site, decay: decay)
  }
}

/// The running average of a block shared by the layer.
final class AveragedSharedBlock<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private let decay: Double
  private let nu: Double
  private var average: Matrix<Scalar>
  private let factors: DenseFactors<Scalar>

  init(for site: CurvatureSite<Scalar>, decay: Double, nu: Double) throws(FisherError) {
    (self.site, self.decay, self.nu) = (site, decay, nu)
    let d = site.order
    average = try Matrix(rows: d, columns: d, what: "\(site.name): block of order \(d)")
    factors = try DenseFactors(for: site, order: d)
    start()
  }

  var bytes: Int { average.bytes + factors.bytes }

  func observe(inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>) {
    // (what is no number would stay in the average for good)
    guard inputs.isFinite else { return site.report(.samplesLeftOut) }
    average.setToGram(inputs, alpha: (1 - decay) * nu / Double(inputs.rows), beta: decay)
  }

  func refresh() throws(FisherError) {
    try factors.refresh(
      form: { (matrix) throws(FisherError) in matrix.copy(from: average) },
      formDouble: { (matrix) throws(FisherError) in matrix.copy(converting: average) })
    // (what went beyond all numbers would stay for good)
    if !average.trace.isFinite { start() }
  }

  private func start() {
    average.setToZero()
    for i in 0..<site.order { average[i, i] = 1 }
  }

  func precondition(_ gradient: inout Matrix<Scalar>) { factors.solve(&gradient) }
}

/// The running averages of a block per neuron.
final class AveragedNeuronBlocks<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private let decay: Double
  private let workspace: BlockWorkspace
  private var batchNu: Matrix<Scalar>
  private var average: BlockBatch<Scalar>
  private let factors: NeuronFactors<Scalar>

  init(for site: CurvatureSite<Scalar>, decay: Double) throws(FisherError) {
    self.site = site
    self.decay = decay
    let (m, d) = (site.neurons, site.order)
    batchNu = try Matrix(rows: site.batchSize, columns: m, what: "\(site.name): ν of a batch")
    average = try BlockBatch(count: m, order: d, what: "\(site.name): \(m) blocks of order \(d)")
    factors = try NeuronFactors(for: site, order: d, samples: 1, isInverse: false)
    workspace = try average.makeWorkspace(samples: site.batchSize)
    start()
  }

  var bytes: Int { batchNu.bytes + average.bytes + factors.bytes + workspace.bytes }

  func observe(inputs: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    batchNu.resize(rows: z.rows)
    site.subsystem.nu(&batchNu, preactivations: z)
    // (what is no number would stay in the average for good)
    guard batchNu.isFinite, inputs.isFinite else { return site.report(.samplesLeftOut) }
    average.accumulateGram(
      inputs: inputs, nu: batchNu, alpha: (1 - decay) / Double(inputs.rows), beta: decay, workspace: workspace)
  }

  func refresh() throws(FisherError) {
    try factors.refresh(average: average, scale: 1)
    // (what went beyond all numbers would stay for good)
    if !average.hasFiniteDiagonals { start() }
  }

  private func start() {
    for neuron in 0..<site.neurons {
      average.setDiagonal(neuron, Array(repeating: 1, count: site.order))
    }
  }

  func precondition(_ gradient: inout Matrix<Scalar>) { factors.precondition(&gradient) }
}
