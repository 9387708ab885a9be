import Foundation

/// Relative natural gradient descent: w ← w − γ s (Ĝ + λI)⁻¹ g, subsystem by subsystem, with Ĝ refreshed after 1, 2, 4, …
/// steps and then at every T-th, and s such that no subsystem leaves its ``TrustRegion``. Parameters without a
/// subsystem take the plain gradient, or by ``OptimizerGroups`` the steps of another optimizer.
///
/// In a step g, with its coupled decay, is averaged (``NaturalMomentum``), becomes δ, takes the length of another optimizer's
/// step (``Graft``), is held in the trust region, and goes off the weights, which then decay by γλ where that is decoupled.
///
/// L2 is coupled, a part of g on weights. Within a trust region it counts less in layers of which the loss says next to
/// nothing yet, where a natural gradient would make of the penalty a step that only shrinks.
///
/// What cannot be factored goes down a ladder of remedies, neuron by neuron, and the step that survives says so: see
/// ``Incident``.
///
/// The matrix of a pair of layers is many times smaller than those of its layers alone, and an absolute damping for it
/// should be, too.
public final class RNGD<Scalar: KernelScalar>: Optimizer {
  public let metric: any Metric
  public var learningRate: Double
  /// What is added to the diagonal of every block.
  public let damping: Damping
  /// When matrices are refreshed.
  public let schedule: RefreshSchedule
  public let trustRegion: TrustRegion
  /// What the positions of a sample count for.
  public let positions: PositionWeight
  public let decay: WeightDecay
  public let momentum: NaturalMomentum
  public let graft: Graft
  /// Takes the time of the parts of a step, where there is one.
  public var profile: StepProfile?
  /// Whether the learning rate is to be what suits the mini-batch.
  private let choosesRate: Bool
  /// What makes directions of gradients, once the optimizer is prepared.
  public private(set) var preconditioner: Preconditioner<Scalar>?
  private var turns: [ParameterStep<Scalar>] = []
  private var steps = 0
  private let incidents = IncidentLog()
  private var batchSize = 0
  private var kappa = 0.0
  /// What a schedule makes of the damping and of the momentum.
  private var dampingFactor = 1.0
  private var share: Double

  /// - Parameters:
  ///   - metric: by default an ``AutoMetric``.
  ///   - learningRate: γ; by default ``usualLearningRate(batchSize:)`` of the mini-batches that it is prepared for.
  ///   - damping: such as 0.005, the paper's λ; with 0 a block is damped by what rounding needs.
  ///   - refreshInterval: T, in steps, of a plain schedule; by default what the metric finds best.
  ///   - schedule: instead of `refreshInterval`, a schedule that is spread over steps, or adapts to the drift.
  ///   - positions: what the positions of a sample count for.
  public init(
    metric: (any Metric)? = nil, learningRate: Double? = nil, damping: Damping = .usual, refreshInterval: Int? = nil,
    schedule: RefreshSchedule? = nil, trustRegion: TrustRegion = .usual, positions: PositionWeight = .usual,
    momentum: NaturalMomentum = .none, graft: Graft = .none, decay: WeightDecay = .none
  ) throws(FisherError) {
    choosesRate = learningRate == nil
    let rate = learningRate ?? Self.usualLearningRate(batchSize: 50)
    try requireStep(learningRate: rate, decay: decay)
    try damping.validate()
    try trustRegion.validate()
    try momentum.validate()
    self.schedule = schedule ?? RefreshSchedule(interval: refreshInterval)
    try self.schedule.validate()
    self.metric = if let metric { metric } else { try AutoMetric() }
    try self.metric.validate()
    self.learningRate = rate
    self.damping = damping
    (self.trustRegion, self.positions) = (trustRegion, positions)
    (self.decay, self.momentum, self.graft) = (decay, momentum, graft)
    share = momentum.share
  }

  /// The learning rate where nobody chooses: 0.01 · (batch/50)^¾ above a mini-batch of 50, at most 0.1, and 0.01 · √(batch/50)
  /// below. A larger mini-batch has a better gradient, of which a longer step is worth taking.
  public static func usualLearningRate(batchSize: Int) -> Double {
    let ratio = Double(max(1, batchSize)) / 50
    return min(0.1, 0.01 * pow(ratio, ratio < 1 ? 0.5 : 0.75))
  }

  public var name: String { "rngd" }

  /// What each layer's curvature is, once the optimizer is prepared.
  public var plan: [LayerPlan] { preconditioner?.plan ?? [] }

  /// What the cost model says of a refresh of all layers and of preconditioning one step's gradients, in seconds; `nil`
  /// where the metric has no cost model.
  public var expectedSeconds: (refresh: Double, step: Double)? {
    guard let costs = metric.costs else { return nil }
    return plan.reduce((0, 0)) {
      ($0.0 + costs.seconds($1.estimate.refresh), $0.1 + costs.seconds($1.estimate.step))
    }
  }

  /// T now, once the optimizer is prepared: of an adaptive schedule what it has come to.
  public var refreshInterval: Int { preconditioner?.refreshInterval ?? schedule.interval ?? 1 }

  /// The refreshes before the first interval is over.
  public var earlyRefreshes: Int { schedule.earlyRefreshes(interval: refreshInterval) }

  /// κ in nats, once the optimizer is prepared; 0 for no bound.
  public var trustRegionKappa: Double { kappa }

  /// What the trust region made of the last step, parameter by parameter: 1 where it did not bind.
  public var stepScales: [Double] { turns.map(\.scale) }

  /// How many of the steps so far the trust region made shorter, parameter by parameter.
  public var boundSteps: [(name: String, steps: Int)] { turns.map { ($0.name, $0.boundSteps) } }

  public var bytes: Int { stateBytes }

  public var settings: [String: String] {
    [
      "metric": settingText(metric), "damping": "\(damping)", "decay": "\(decay)",
      "momentum": "\(momentum)", "graft": graft.rawValue,
      "refresh": schedule.interval.map { "\($0) steps" } ?? "by the metric", "refreshes spread": "\(schedule.isSpread)",
      "drift": schedule.drift.map { "\($0)" } ?? "any", "early refreshes": "\(schedule.startsEarly)",
      "trust region": "\(trustRegion)", "positions": positions.rawValue,
    ]
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    if let preconditioner { try visitor.child("preconditioner", preconditioner) }
    for part in turns { try visitor.child(part.name, part) }
  }

  /// Lets tests break factorisations.
  package var faults: (any FaultSource)? {
    get { incidents.faults }
    set { incidents.faults = newValue }
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    (turns, steps, batchSize) = ([], 0, batches.samplesPerStep)
    if choosesRate { learningRate = Self.usualLearningRate(batchSize: batchSize) }
    let parameters = model.parameters
    kappa = trustRegion.kappa(
      batchSize: batchSize, parameters: parameters.count, momentum: momentum.share)
    let made = try Preconditioner<Scalar>(
      sites: parameters.compactMap(\.site), metric: metric, damping: damping, schedule: schedule, positions: positions,
      batches: batches, incidents: incidents)
    let settings = NaturalStep(decay: decay, momentum: momentum, graft: graft)
    var index = 0
    for parameter in parameters {
      turns.append(
        try ParameterStep(parameter, index: parameter.subsystem == nil ? nil : index, of: made, settings: settings))
      if parameter.subsystem != nil { index += 1 }
    }
    preconditioner = made
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    guard let preconditioner, turns.count == model.parameters.count else {
      throw .invalidArgument(
        what: "optimizer", expected: "to be prepared for this model", found: "\(turns.count) parameters")
    }
    try profile.measure(.observe, Work()) { () throws(FisherError) in
      for part in turns
      where !part.takeGradient(samples: kappa > 0 ? batchSize : nil, step: steps + 1, share: share) {
        throw .nonFinite(what: "gradient of \(part.name)", step: steps + 1)
      }
      steps += 1
      try observe(model, by: preconditioner)
    }
    if preconditioner.isAnyDue {
      try profile.measure(.refresh, preconditioner.dueWork) { () throws(FisherError) in
        try preconditioner.refreshIfDue()
        for part in turns {
          if let index = part.index { try preconditioner.refreshWaiting(part.parameter.gradient, at: index) }
        }
      }
    } else {
      try preconditioner.refreshIfDue()
    }
    try profile.measure(.precondition, preconditioner.work) { () throws(FisherError) in
      for part in turns { try part.turn(by: preconditioner, share: share) }
    }
    preconditioner.noteDrift()
    try profile.measure(.update, model.updateWork) { () throws(FisherError) in
      for part in turns where !part.product.isFinite {
        throw .nonFinite(what: "step of \(part.name)", step: steps)
      }
      var most = 0.0
      for part in turns where part.isReady && part.outputScale > 0 { most = max(most, part.product / part.outputScale) }
      for part in turns {
        part.scale = trustRegion.scale(
          rate: learningRate, product: part.product, kappa: kappa, outputScale: part.outputScale,
          most: part.isReady ? most : 0)
        if part.scale < 1 { part.boundSteps += 1 }
        part.descend(rate: learningRate * part.scale, learningRate: learningRate)
      }
    }
    return incidents.take(step: steps)
  }

  public func observe(_ model: any Model<Scalar>) throws(FisherError) {
    guard let preconditioner else { return }
    try observe(model, by: preconditioner)
  }

  private func observe(_ model: any Model<Scalar>, by preconditioner: Preconditioner<Scalar>) throws(FisherError) {
    try model.observe { (parameter, observed) throws(FisherError) in
      if let index = turns[parameter].index { try preconditioner.observe(index, observed) }
    }
  }

  public func value(of number: OptimizerNumber) -> Double? {
    switch number {
    case .learningRate: learningRate
    case .damping: dampingFactor
    case .trustRegion: kappa > 0 ? kappa : nil
    case .momentum: momentum.share > 0 ? share : nil
    }
  }

  public func set(_ number: OptimizerNumber, to value: Double) {
    switch number {
    case .learningRate: learningRate = value
    case .damping:
      dampingFactor = value
      preconditioner?.scaleDamping(by: value)
    case .trustRegion: kappa = value
    case .momentum: share = value
    }
  }

  /// After a refresh, of an adaptive damping.
  public var wantsLossAfterStep: Bool { damping.isAdaptive && preconditioner?.hasRefreshed == true }

  /// Adapts the dampings by the reduction ratio (loss − after)/Σ (γ − γ²/2) gᵀδ, with the γ that each layer's step was
  /// taken with.
  public func note(loss: Double, after: Double) {
    var foreseen = 0.0
    for part in turns {
      let rate = learningRate * part.scale
      foreseen += (rate - rate * rate / 2) * part.product
    }
    guard foreseen > 0 else { return }
    for part in turns { part.site?.damping.adapt(to: (loss - after) / foreseen) }
  }

  public func measure(by profile: StepProfile?) -> Bool {
    self.profile = profile
    return true
  }

  /// Makes all matrices anew, soon and often.
  public func restart() {
    preconditioner?.restart()
    for part in turns { part.restart() }
  }
}
