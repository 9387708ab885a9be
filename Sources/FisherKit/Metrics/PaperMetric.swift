/// What the paper's experiment did, for comparison: the first and the last layer share one matrix per layer as if
/// linear (ν ≡ 1), the layers between have a block per neuron; each starts at the identity and is an exponential
/// average, Ĝ ← 0.995 Ĝ + 0.005 ν x̃x̃ᵀ at every mini-batch.
public struct PaperMetric: Metric {
  /// The decay of the running average, per mini-batch.
  public let decay: Double

  public init(decay: Double = 0.995) {
    self.decay = decay
  }

  public func validate() throws(FisherError) { try requireDecay(decay) }

  public var name: String { "paper" }

  public func makeCurvatures<S: KernelScalar>(
    for sites: [CurvatureSite<S>]
  ) throws(FisherError) -> [any Curvature<S>] {
    var curvatures: [any Curvature<S>] = []
    for (index, site) in sites.enumerated() {
      curvatures.append(try makeCurvature(for: site, isOutermost: index == 0 || index == sites.count - 1))
    }
    return curvatures
  }

  /// Of a layer that is the only one.
  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try makeCurvature(for: site, isOutermost: true)
  }

  func makeCurvature<S: KernelScalar>(
    for site: CurvatureSite<S>, isOutermost: Bool
  ) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    let estimate = estimate(for: site, isOutermost: isOutermost)
    if let nu = sharedNu(for: site, isOutermost: isOutermost) {
      return try AveragedSharedBlock<S>(for: site, decay: decay, nu: nu, estimate: estimate)
    }
    return try AveragedNeuronBlocks<S>(for: site, decay: decay, estimate: estimate)
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    estimate(for: site, isOutermost: true)
  }

  private func estimate<S: KernelScalar>(for site: CurvatureSite<S>, isOutermost: Bool) -> CurvatureEstimate {
    // (samples go into the average at every step: a refresh only factors it)
    let (m, d) = (Double(site.neurons), Double(site.order))
    if sharedNu(for: site, isOutermost: isOutermost) != nil {
      let read = Double(site.bytes(site.order, site.order))
      return CurvatureEstimate(
        summary: "running average of one block of order \(site.order)", bytes: AveragedSharedBlock<S>.bytes(for: site),
        refresh: Work(factors: d * d * d / 3, bytes: 3 * read, calls: 2),
        step: Work(solves: 2 * m * d * d, bytes: read, calls: 1))
    }
    let read = Double(site.blockBytes(order: site.order))
    return CurvatureEstimate(
      summary: "running average of \(site.neurons) blocks of order \(site.order)",
      bytes: AveragedNeuronBlocks<S>.bytes(for: site),
      refresh: Work(factors: m * d * d * d / 3, bytes: 3 * read, calls: 2),
      step: Work(solves: 2 * m * d * d, bytes: 2 * read, calls: 1))
  }

  /// The ν of a layer whose neurons share a block.
  private func sharedNu<S: KernelScalar>(for site: CurvatureSite<S>, isOutermost: Bool) -> Double? {
    if isOutermost { return 1 }
    return if case .shared(let nu) = site.subsystem.form { nu } else { nil }
  }
}

/// The running average of a block shared by the layer.
final class AveragedSharedBlock<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private let decay: Double
  private let nu: Double
  private var average: Matrix<Scalar>
  private let factors: DenseFactors<Scalar>
  private var room: PatchRoom<Scalar>
  let estimate: CurvatureEstimate

  init(
    for site: CurvatureSite<Scalar>, decay: Double, nu: Double, estimate: CurvatureEstimate
  ) throws(FisherError) {
    (self.site, self.decay, self.nu, self.estimate) = (site, decay, nu, estimate)
    let d = site.order
    average = try Matrix(rows: d, columns: d, what: "\(site.name): block of order \(d)")
    factors = try DenseFactors(for: site, order: d, whole: d)
    room = try PatchRoom(for: site)
    start()
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("average", &average)
    try visitor.child("factors", factors)
    visitor.scratch("patches", bytes: room.bytes)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>) -> Int {
    sum(
      ofBytes: site.bytes(site.order, site.order), DenseFactors<Scalar>.bytes(for: site, order: site.order),
      PatchRoom<Scalar>.bytes(for: site))
  }

  func observe(_ observed: borrowing Observation<Scalar>) {
    // (what is no number would stay in the average for good)
    guard observed.hasFiniteInputs else { return site.report(.samplesLeftOut) }
    let alpha = (1 - decay) * nu * site.positionFactor / Double(observed.samples)
    observed.withRuns(&room) { (inputs, range) in
      average.setToGram(inputs, alpha: alpha, beta: range.lowerBound == 0 ? decay : 1)
    }
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
  private var room: PatchRoom<Scalar>
  let estimate: CurvatureEstimate

  init(for site: CurvatureSite<Scalar>, decay: Double, estimate: CurvatureEstimate) throws(FisherError) {
    (self.site, self.decay, self.estimate) = (site, decay, estimate)
    let (m, d) = (site.neurons, site.order)
    batchNu = try Matrix(rows: site.batchRows, columns: m, what: "\(site.name): ν of a batch")
    average = try BlockBatch(count: m, order: d, what: "\(site.name): \(m) blocks of order \(d)")
    factors = try NeuronFactors(for: site, order: d, samples: 1, isInverse: false)
    workspace = try average.makeWorkspace(samples: site.batchRows)
    room = try PatchRoom(for: site)
    start()
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("average", &average)
    try visitor.child("factors", factors)
    visitor.scratch("ν of a batch", batchNu)
    visitor.scratch("work", bytes: workspace.bytes)
    visitor.scratch("patches", bytes: room.bytes)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>) -> Int {
    let (m, d) = (site.neurons, site.order)
    return sum(
      ofBytes: site.bytes(site.batchRows, m), site.blockBytes(order: d),
      NeuronFactors<Scalar>.bytes(for: site, order: d, samples: 1),
      BlockWorkspace.bytes(Scalar.self, count: m, order: d, samples: site.batchRows),
      PatchRoom<Scalar>.bytes(for: site))
  }

  func observe(_ observed: borrowing Observation<Scalar>) {
    batchNu.resize(rows: observed.rows)
    site.subsystem.nu(&batchNu, preactivations: observed.preactivations)
    // (what is no number would stay in the average for good)
    guard batchNu.isFinite, observed.hasFiniteInputs else { return site.report(.samplesLeftOut) }
    let alpha = (1 - decay) * site.positionFactor / Double(observed.samples)
    observed.withRuns(&room) { (inputs, range) in
      average.accumulateGram(
        inputs: inputs, nu: Matrix(viewing: batchNu, rows: range), alpha: alpha,
        beta: range.lowerBound == 0 ? decay : 1, workspace: workspace)
    }
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
