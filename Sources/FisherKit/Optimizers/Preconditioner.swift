/// Makes natural gradients of gradients, for any training loop: site by site (Ĝ + λI)⁻¹g, with Ĝ over what was observed,
/// refreshed after 1, 2, 4, … steps and then at every T-th.
///
/// It knows nothing of models, losses or steps. A loop of one's own declares its sites once, and then, for each mini-batch,
/// shows what fed them, refreshes, and turns gradients into directions:
///
///     let preconditioner = try Preconditioner<Float>(
///       sites: [Site(name: "hidden", neurons: 80, order: 785, subsystem: NonlinearLayer(Tanh()))], batchSize: 50)
///     for … {
///       try preconditioner.observe("hidden", inputs: x, preactivations: z)    // x: 50 × 784 or 50 × 785, z: 50 × 80
///       try preconditioner.refreshIfDue()
///       try preconditioner.direction(&gradient, at: "hidden")                // 80 × 785, the bias last
///       …                                                                    // weights −= rate · gradient
///     }
///
/// What cannot be factored goes down a ladder of remedies, neuron by neuron: see ``Incident`` and ``takeIncidents()``. An
/// ``RNGD`` is one of these with a trust region and a descent.
///
/// Memory: a curvature and a gradient for each site, allocated when it is made; for inputs without their bias column, and
/// gradients in arrays, room for one of each, made when the first one comes. No later step allocates.
public final class Preconditioner<Scalar: KernelScalar>: State {
  public let sites: [Site]
  public let metric: any Metric
  public let damping: Damping
  public let schedule: RefreshSchedule
  /// What the positions of a sample count for.
  public let positions: PositionWeight
  /// The most samples per observation.
  public let batchSize: Int
  /// Calls of ``refreshIfDue()`` so far.
  public private(set) var step = 0
  /// What each site's curvature is.
  public let plan: [LayerPlan]
  /// What preconditioning takes for all of them together.
  let work: Work
  let states: [SiteStep<Scalar>]
  let incidents: IncidentLog
  private var clock: RefreshClock
  private var meter = DriftMeter()
  private let places: [String: Int]
  /// Observations of a site between two steps.
  private let batchesPerStep: Int

  /// - Parameters:
  ///   - metric: by default an ``AutoMetric``.
  ///   - damping: what is added to the diagonal of every block.
  ///   - positions: what the positions of a sample count for; ``PositionWeight/sum`` is Ĝ as it is defined.
  ///   - batchSize: the most samples that an observation will have.
  /// - Throws: `invalidArgument` that names a site or a setting, `unsupportedForm` for a site whose matrix the metric does
  ///   not have, `exceedsMemoryCap` or `outOfMemory`.
  public convenience init(
    sites: [Site], metric: (any Metric)? = nil, damping: Damping = .usual,
    schedule: RefreshSchedule = RefreshSchedule(), positions: PositionWeight = .usual,
    batchSize: Int
  ) throws(FisherError) {
    let metric: any Metric = if let metric { metric } else { try AutoMetric() }
    try self.init(
      sites: sites, metric: metric, damping: damping, schedule: schedule, positions: positions,
      batches: MiniBatches(of: batchSize), incidents: IncidentLog()
    )
  }

  init(
    sites: [Site], metric: any Metric, damping: Damping, schedule: RefreshSchedule, positions: PositionWeight,
    batches: MiniBatches, incidents: IncidentLog
  ) throws(FisherError) {
    let batchSize = batches.samples
    try require(batchSize > 0, "mini-batch", expected: "at least one sample", found: batchSize)
    try metric.validate()
    try damping.validate()
    try schedule.validate()
    var places: [String: Int] = [:]
    for (index, site) in sites.enumerated() {
      try site.validate()
      guard places.updateValue(index, forKey: site.name) == nil else {
        throw .invalidArgument(what: "sites", expected: "names of their own", found: "two called \(site.name)")
      }
    }
    (self.sites, self.metric, self.damping, self.schedule) = (sites, metric, damping, schedule)
    (self.batchSize, self.places, self.incidents, self.positions) = (batchSize, places, incidents, positions)
    batchesPerStep = batches.perStep
    let clock = RefreshClock(
      schedule, interval: metric.refreshInterval(batchSize: batches.samplesPerStep), layers: sites.count)
    let curvatureSites = sites.map { site in
      var made = CurvatureSite<Scalar>(
        site, batchSize: batchSize, refreshInterval: clock.interval * batches.perStep, damping: damping,
        isSpread: schedule.isSpread, incidents: incidents)
      made.positionWeight = positions
      return made
    }
    let curvatures = try metric.makeAllCurvatures(for: curvatureSites)
    var states: [SiteStep<Scalar>] = []
    var (work, plans) = (Work(), [LayerPlan]())
    for (index, site) in sites.enumerated() {
      let curvature = curvatures[index]
      plans.append(LayerPlan(name: site.name, estimate: curvature.estimate, bytes: curvature.bytes))
      work = work + curvature.estimate.step
      curvature.expectRefresh(after: batches.perStep, isEarly: clock.isEarly(index, step: 0))
      states.append(
        try SiteStep(
          site, curvature: curvature, batchRows: curvatureSites[index].batchRows,
          damping: curvatureSites[index].dampingState, incidents: incidents, measuresDrift: schedule.drift != nil))
    }
    (self.states, self.work, self.clock, plan) = (states, work, clock, plans)
  }

  /// T now: of an adaptive schedule what it has come to.
  public var refreshInterval: Int { clock.interval }

  /// The refreshes before the first interval is over.
  public var earlyRefreshes: Int { schedule.earlyRefreshes(interval: clock.interval) }

  public var bytes: Int { stateBytes }

  /// As it is between two steps: after the directions of one, before the ``refreshIfDue()`` of the next.
  public func visit(_ visitor: StateVisitor) throws {
    try visitor.fixed("metric", metric)
    try visitor.visit("step", &step, in: 0...(.max))
    let before = visitor.bytes
    try visitor.value("clock", &clock)
    try visitor.value("drift", &meter)
    visitor.bytes = before
    for (site, state) in zip(sites, states) { try visitor.child(site.name, state) }
  }

  /// All dampings times a factor, from the next refreshes on.
  func scaleDamping(by factor: Double) {
    for state in states { state.damping.scheduled = factor }
  }

  /// What went wrong since the last call, and was survived.
  public func takeIncidents() -> [Incident] { incidents.take(step: step) }

  /// The place of a site.
  /// - Throws: `invalidArgument` that names those there are.
  public func index(of site: String) throws(FisherError) -> Int {
    guard let index = places[site] else {
      throw .invalidArgument(
        what: "site", expected: sites.map(\.name).joined(separator: ", "), found: shortText(site))
    }
    return index
  }

  /// Takes note of what fed a site in the mini-batch.
  /// - Throws: `invalidArgument` that names a matrix of another shape.
  public func observe(_ index: Int, _ observed: borrowing Observation<Scalar>) throws(FisherError) {
    try check(observed, at: sites[index])
    try states[index].observe(observed)
  }

  /// Counts a step, and refreshes the matrices that are due at it. Call it after the mini-batch's observations, before its
  /// directions. With a schedule that adapts to the drift, a site's refresh waits for its gradient. A site of which nothing
  /// was observed since its last refresh keeps its matrix, and stays due.
  /// - Throws: `invalidArgument` that names a site of which nothing was observed yet.
  public func refreshIfDue() throws(FisherError) {
    noteDrift()
    step += 1
    for i in states.indices {
      let state = states[i]
      state.isDue = clock.isDue(i, step: step)
      state.isWaiting = state.isDue && schedule.drift != nil
      guard state.isDue, !state.isWaiting else { continue }
      try state.refresh()
      noteRefresh(i)
    }
  }

  /// Does the refresh that waits for a site's gradient, if one does.
  func refreshWaiting(_ gradient: borrowing Matrix<Scalar>, at i: Int) throws(FisherError) {
    guard states[i].isWaiting else { return }
    states[i].isWaiting = false
    try states[i].refresh(gradient: gradient)
    noteRefresh(i)
  }

  /// Replaces a site's gradient (m,d) by (Ĝ + λI)⁻¹ times it. Neurons for which that is no number, and sites for which it
  /// does not descend, keep their gradient, and are reported.
  /// - Returns: gᵀδ: twice the divergence in nats a sample that a step by δ makes, to second order.
  /// - Throws: `invalidArgument` for a gradient of another shape, and before the first ``refreshIfDue()``.
  @discardableResult
  public func direction(_ gradient: inout Matrix<Scalar>, at index: Int) throws(FisherError) -> Double {
    let (site, kept) = (sites[index], states[index].gradient)
    guard step > 0 else {
      throw .invalidArgument(
        what: "\(site.name): direction", expected: "one after refreshIfDue()", found: "no step yet")
    }
    guard gradient.rows == site.neurons, gradient.columns == site.order else {
      throw .invalidArgument(
        what: "\(site.name): gradient", expected: "\(site.neurons) × \(site.order)",
        found: "\(gradient.rows) × \(gradient.columns)")
    }
    kept.take(gradient)
    try turn(&gradient, at: index)
    return kept.product
  }

  /// The same, of a gradient that was taken.
  func turn(_ gradient: inout Matrix<Scalar>, at i: Int) throws(FisherError) {
    let state = states[i]
    try refreshWaiting(gradient, at: i)
    if !(try state.precondition(&gradient)) { clock.expedite(i, step: step) }
    if schedule.drift != nil { state.addDrift(of: gradient, to: &meter) }
  }

  /// Makes all matrices anew, soon and often: after the weights were put back to earlier ones.
  public func restart() { clock.restart(after: step) }

  /// Whether a refresh is due at the next step, or a part of one.
  var isAnyDue: Bool {
    // (a loop, here and below: what is generic allocates, and this is done at every step)
    for i in states.indices where clock.isDue(i, step: step + 1) { return true }
    return false
  }

  /// What the refreshes take that are due at the next step, or their parts.
  var dueWork: Work {
    var sum = Work()
    for i in states.indices where clock.isDue(i, step: step + 1) {
      sum = sum + states[i].curvature.estimate.refresh * (1 / Double(states[i].parts))
    }
    return sum
  }

  /// Whether the last ``refreshIfDue()`` brought a site's new matrix.
  var hasRefreshed: Bool { states.contains { $0.isDue && $0.isRefreshed } }

  private func noteRefresh(_ i: Int) {
    guard states[i].isRefreshed else { return }
    clock.refreshed(i, step: step)
    states[i].curvature.expectRefresh(
      after: clock.stepsUntilDue(i, step: step) * batchesPerStep, isEarly: clock.isEarly(i, step: step))
  }

  /// Takes how far the directions of the last step were from those of the matrices before its refresh.
  func noteDrift() {
    guard schedule.drift != nil else { return }
    if let drift = meter.drift { clock.note(drift: drift) }
    meter = DriftMeter()
  }
}
