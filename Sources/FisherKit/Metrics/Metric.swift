/// A choice of how relative Fisher matrices are estimated, held and inverted. A metric is a small value; the state of
/// each layer is the ``Curvature`` that it makes.
///
/// To add a metric, write one file with a type that conforms to this and a class that conforms to ``Curvature``.
public protocol Metric: Sendable, CustomStringConvertible {
  var name: String { get }
  /// What the machine's time for its work is reckoned by; by default not known.
  var costs: MachineCosts? { get }
  /// Refuses settings outside their range, before anything is made; by default none.
  /// - Throws: `invalidArgument`.
  func validate() throws(FisherError)
  /// The steps T between refreshes where nobody chooses; by default the paper's 100.
  func refreshInterval(batchSize: Int) -> Int
  /// What the curvature of a layer will hold and take; by default not known.
  func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate
  /// Makes the curvatures of all layers of a model; by default one after the other.
  func makeCurvatures<S: KernelScalar>(for sites: [CurvatureSite<S>]) throws(FisherError) -> [any Curvature<S>]
  /// Makes the curvature of one parameter matrix, all memory that its steps need included.
  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S>
}

extension Metric {
  public var description: String { name }
  public var costs: MachineCosts? { nil }
  public func validate() throws(FisherError) {}
  public func refreshInterval(batchSize: Int) -> Int { 100 }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    CurvatureEstimate(summary: name, bytes: 0)
  }

  public func makeCurvatures<S: KernelScalar>(
    for sites: [CurvatureSite<S>]
  ) throws(FisherError) -> [any Curvature<S>] {
    var curvatures: [any Curvature<S>] = []
    for site in sites { curvatures.append(try makeCurvature(for: site)) }
    return curvatures
  }
}

/// What a metric is told about the site whose curvature it makes.
public struct CurvatureSite<Scalar: KernelScalar> {
  public var site: Site
  /// The most samples per observation, and the number of observations between refreshes.
  public var batchSize: Int
  public var refreshInterval: Int
  let dampingState: SiteDamping
  /// Where what is survived is written down.
  let incidents: IncidentLog
  /// Whether refreshes are to be spread over steps, part by part, where the curvature can: while the next matrix is made
  /// the last one is in use.
  public var isSpread: Bool
  /// What the positions of a sample count for.
  public var positionWeight = PositionWeight.sum
  /// What the curvatures of the layers that the metric does not measure hold, such as those of batch normalisation: a cap
  /// for all layers counts them.
  public var bytesBeside = 0

  public init(_ site: Site, batchSize: Int, refreshInterval: Int, damping: Damping, isSpread: Bool = false) {
    self.init(
      site, batchSize: batchSize, refreshInterval: refreshInterval, damping: damping, isSpread: isSpread,
      incidents: IncidentLog())
  }

  init(
    _ site: Site, batchSize: Int, refreshInterval: Int, damping: Damping, isSpread: Bool, incidents: IncidentLog
  ) {
    self.site = site
    self.batchSize = batchSize
    self.refreshInterval = refreshInterval
    dampingState = SiteDamping(damping)
    self.incidents = incidents
    self.isSpread = isSpread
  }

  /// What the sum over positions is multiplied by.
  public var positionFactor: Double { positionWeight.factor(positions: site.positions) }

  public var name: String { site.name }
  /// m and d, the bias included.
  public var neurons: Int { site.neurons }
  public var order: Int { site.order }
  public var subsystem: any Subsystem { site.subsystem }
  public var damping: Damping { dampingState.rule }
  /// The most rows per observation.
  public var batchRows: Int {
    let (rows, overflow) = batchSize.multipliedReportingOverflow(by: site.positions)
    return overflow ? .max : rows
  }

  /// λ for a block of this order and trace; `layerMean` is the mean diagonal over all of the layer's blocks.
  public func lambda(trace: Double, order: Int, layerMean: Double = 0) -> Double {
    dampingState.lambda(trace: trace, order: order, layerMean: layerMean, unit: Double(Scalar.ulpOfOne))
  }

  /// Writes down a failure that the curvature survives, and how. `neuron` is `nil` where all of the layer are meant.
  public func report(_ remedy: Incident.Remedy, neuron: Int? = nil, damping: Double? = nil) {
    incidents.add(Incident(layer: name, neuron: neuron, remedy: remedy, damping: damping))
  }
}

/// The curvature of one parameter matrix: it observes, refreshes its inverse, and preconditions gradients.
public protocol Curvature<Scalar>: State {
  associatedtype Scalar: KernelScalar
  /// Takes note of a mini-batch.
  func observe(_ observed: borrowing Observation<Scalar>) throws(FisherError)
  /// Whether it takes inputs without their bias column as well, and adds it to what it keeps; by default not.
  var addsBias: Bool { get }
  /// Says in how many steps the next refresh will come: a window that takes a part of each mini-batch goes by it. Early
  /// ones, before the first interval is over, may be made of fewer samples. By default it changes nothing.
  func expectRefresh(after steps: Int, isEarly: Bool)
  /// Makes what was observed the matrix that ``precondition(_:)`` inverts. A failure that it survives it reports to its
  /// site: ``CurvatureSite/report(_:neuron:damping:)``.
  /// - Throws: `notPositiveDefinite` where it has no way on; the matrix before stays in use, if there was one.
  func refresh() throws(FisherError)
  /// The parts that a refresh can be done in, at one step after the other, where the site asks for it; by default one.
  var refreshParts: Int { get }
  /// One part of a refresh. All are of the samples that were there at part 0, and until the last one is done
  /// ``precondition(_:)`` goes on with the matrix before. After a failure it begins again with part 0.
  func refresh(part: Int) throws(FisherError)
  /// gradient (m,d) = (Ĝ + λI)⁻¹ gradient, block by block.
  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError)
  /// The memory that it holds, with the most that a refresh makes beside it; not what only a failure makes.
  var bytes: Int { get }
  /// What was known of it before it was made; by default that it is there.
  var estimate: CurvatureEstimate { get }
}

extension Curvature {
  /// Its memory is counted; a curvature that is to be kept in a checkpoint says what it holds.
  public func visit(_ visitor: StateVisitor) throws { try visitor.refuse(self, bytes: bytes) }

  public var addsBias: Bool { false }
  public var refreshParts: Int { 1 }

  /// Takes note of X̃ (n,d) and z (n,m), a row for each sample.
  public func observe(
    inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    try observe(Observation(inputs: inputs, preactivations: preactivations))
  }

  public func expectRefresh(after steps: Int, isEarly: Bool) {}
  public func refresh(part: Int) throws(FisherError) { try refresh() }
  public var estimate: CurvatureEstimate { CurvatureEstimate(summary: "of its own kind", bytes: bytes) }
}

func requireWindow(_ samples: Int) throws(FisherError) {
  try require(samples > 0, "window samples", expected: "1 or more", found: samples)
}

func requireDecay(_ decay: Double) throws(FisherError) {
  try require(decay >= 0 && decay < 1, "decay", expected: "a number in [0, 1)", found: decay)
}
