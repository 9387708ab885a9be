/// Relative natural gradient descent: w ← w − γ (Ĝ + λI)⁻¹ g, subsystem by subsystem, with Ĝ refreshed at the first
/// step and then at every T-th. Parameters without a subsystem take the plain gradient.
///
/// The matrix of a pair of layers is many times smaller than those of its layers alone, and wants a larger λ: where an
/// eigenvalue is below λ, a step is that of plain gradient descent with rate γ/λ.
public final class RNGD<Scalar: KernelScalar>: Optimizer {
  public let metric: any Metric
  public var learningRate: Double
  /// λ, added to the diagonal of every block.
  public let damping: Double
  /// When matrices are refreshed.
  public let schedule: RefreshSchedule
  public let l2: Double
  /// Takes the time of the parts of a step, where there is one.
  public var profile: StepProfile?
  private var curvatures: [(any Curvature<Scalar>)?] = []
  /// For each parameter, the curvature of the layer below that is paired with it.
  private var lowerOfPairs: [(any PairCurvature<Scalar>)?] = []
  private var steps = 0
  private var clock = RefreshClock(RefreshSchedule(), layers: 0)
  /// Whether there is a matrix that did not fail.
  private var isReady: [Bool] = []
  /// Directions by the matrices before a refresh, for an adaptive schedule.
  private var oldDirections: [State<Scalar>?] = []
  /// For each parameter, whether a refresh, or a part of one, is due at this step, and whether it was the last one.
  private var isDue: [Bool] = []
  private var isRefreshed: [Bool] = []
  /// The next part of a refresh under way, or 0.
  private var nextPart: [Int] = []
  private var batchSize = 0
  /// What preconditioning takes for all curvatures together.
  private var work = Work()

  /// - Parameters:
  ///   - metric: by default an ``AutoMetric``.
  ///   - refreshInterval: T, in steps, of a plain schedule; by default what the metric finds best.
  ///   - schedule: instead of `refreshInterval`, a schedule that is spread over steps, or adapts to the drift.
  ///   - damping: λ ≥ 0. With λ = 0 the first refresh fails wherever a mini-batch has fewer samples than a layer has
  ///     inputs.
  public init(
    metric: (any Metric)? = nil, learningRate: Double, damping: Double = 0.005, refreshInterval: Int? = nil,
    schedule: RefreshSchedule? = nil, l2: Double = 0
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, l2: l2)
    try require(damping >= 0 && damping <= 1e30, "damping", expected: "a number from 0 to 1e30", found: damping)
    self.schedule = schedule ?? RefreshSchedule(interval: refreshInterval)
    try self.schedule.validate()
    self.metric = if let metric { metric } else { try AutoMetric() }
    self.learningRate = learningRate
    self.damping = damping
    self.l2 = l2
  }

  public var name: String { "rngd" }

  /// What each layer's curvature is, once the optimizer is prepared.
  public private(set) var plan: [LayerPlan] = []

  /// What the cost model says of a refresh of all layers and of preconditioning one step's gradients, in seconds; `nil`
  /// where the metric has no cost model.
  public var expectedSeconds: (refresh: Double, step: Double)? {
    guard let costs = (metric as? AutoMetric)?.costs else { return nil }
    return plan.reduce((0, 0)) {
      ($0.0 + costs.seconds($1.estimate.refresh), $0.1 + costs.seconds($1.estimate.step))
    }
  }

  /// T now, once the optimizer is prepared: of an adaptive schedule what it has come to.
  public var refreshInterval: Int { clock.interval }

  public var bytes: Int {
    curvatures.reduce(0) { $0 + ($1?.bytes ?? 0) } + oldDirections.reduce(0) { $0 + ($1?.value.bytes ?? 0) }
  }

  public func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    (curvatures, steps, self.batchSize) = ([], 0, batchSize)
    clock = RefreshClock(
      schedule, interval: metric.refreshInterval(batchSize: batchSize), layers: model.parameters.count)
    // The metric gets the sites whose subsystems have no curvature of their own, and counts those alone.
    var sites: [CurvatureSite<Scalar>] = []
    for (place, parameter) in model.parameters.enumerated() {
      curvatures.append(nil)
      guard let subsystem = parameter.subsystem else { continue }
      guard parameter.pair == nil || metric.takesPairs else {
        throw .invalidArgument(
          what: "\(parameter.name): pair of layers", expected: "a metric that takes pairs, such as exact",
          found: "\(metric)")
      }
      let site = CurvatureSite<Scalar>(
        name: parameter.name, index: sites.count, count: model.parameters.count, neurons: parameter.neurons,
        order: parameter.order,
        subsystem: subsystem, batchSize: batchSize, refreshInterval: clock.interval, damping: damping,
        isSpread: schedule.isSpread, pair: parameter.pair)
      curvatures[place] = try subsystem.makeCurvature(for: site)
      if curvatures[place] == nil { sites.append(site) }
    }
    for i in sites.indices { sites[i].count = sites.count }
    var made = try metric.makeCurvatures(for: sites)[...]
    plan = []
    for (place, parameter) in model.parameters.enumerated() where parameter.subsystem != nil {
      let curvature = curvatures[place] ?? made.removeFirst()
      curvatures[place] = curvature
      plan.append(LayerPlan(name: parameter.name, estimate: curvature.estimate, bytes: curvature.bytes))
    }
    isDue = Array(repeating: false, count: curvatures.count)
    isRefreshed = isDue
    nextPart = Array(repeating: 0, count: curvatures.count)
    isReady = Array(repeating: false, count: curvatures.count)
    oldDirections = []
    for parameter in model.parameters {
      let isNeeded = schedule.drift != nil && parameter.subsystem != nil
      oldDirections.append(isNeeded ? try State(like: parameter, what: "direction before a refresh") : nil)
    }
    work = Work()
    for layer in plan { work = work + layer.estimate.step }
    lowerOfPairs = model.parameters.map { outer in
      let lower = model.parameters.firstIndex { $0.pair?.outer === outer }
      return lower.flatMap { curvatures[$0] as? any PairCurvature<Scalar> }
    }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [FactorizationFailure] {
    precondition(curvatures.count == model.parameters.count, "prepare the optimizer for this model first")
    steps += 1
    try profile.measure(.observe, Work()) { () throws(FisherError) in
      try model.requireFiniteGradients(step: steps)
      try observe(model)
      for parameter in model.parameters { parameter.addWeightDecay(l2: l2) }
    }
    var survived: [FactorizationFailure] = []
    var isAnyDue = false
    for i in curvatures.indices {
      isDue[i] = curvatures[i] != nil && clock.isDue(i, step: steps)
      isRefreshed[i] = false
      isAnyDue = isAnyDue || isDue[i]
    }
    if isAnyDue {
      try profile.measure(.refresh, dueWork) { () throws(FisherError) in survived = try refresh(model.parameters) }
    }
    try profile.measure(.precondition, work) { () throws(FisherError) in try preconditionGradients(of: model) }
    if isAnyDue { noteDrift(model.parameters) }
    try profile.measure(.update, model.updateWork) { () throws(FisherError) in
      try model.requireFiniteGradients("step", step: steps)
      for parameter in model.parameters { parameter.value.descend(parameter.gradient, rate: learningRate) }
    }
    return survived
  }

  private func observe(_ model: any Model<Scalar>) throws(FisherError) {
    try model.observe { (index, inputs, preactivations) throws(FisherError) in
      precondition(
        inputs.rows <= batchSize, "a mini-batch of \(inputs.rows) samples, prepared for \(batchSize) at most")
      try curvatures[index]?.observe(inputs: inputs, preactivations: preactivations)
      lowerOfPairs[index]?.observeOuter(preactivations: preactivations)
    }
  }

  /// What the refreshes take that are due, or their parts.
  private var dueWork: Work {
    curvatures.indices.reduce(Work()) { sum, i in
      guard isDue[i], let curvature = curvatures[i] else { return sum }
      return sum + curvature.estimate.refresh * (1 / Double(parts(of: curvature, i)))
    }
  }

  /// In how many parts a refresh is done: the first one is whole, since parts need a matrix to go on with.
  private func parts(of curvature: any Curvature<Scalar>, _ i: Int) -> Int { isReady[i] ? curvature.refreshParts : 1 }

  private func refresh(_ parameters: [Parameter<Scalar>]) throws(FisherError) -> [FactorizationFailure] {
    var survived: [FactorizationFailure] = []
    for i in curvatures.indices where isDue[i] {
      guard let curvature = curvatures[i] else { continue }
      let parts = parts(of: curvature, i)
      let part = nextPart[i]
      isRefreshed[i] = part == parts - 1
      if isRefreshed[i] { try noteOldDirection(i, parameters[i].gradient) }
      isReady[i] = parts > 1
      nextPart[i] = 0
      let failure = parts > 1 ? try curvature.refresh(part: part) : try curvature.refresh()
      if let failure { survived.append(failure) }
      isReady[i] = true
      if isRefreshed[i] {
        clock.refreshed(i, step: steps)
      } else {
        nextPart[i] = part + 1
      }
    }
    return survived
  }

  /// For an adaptive schedule, what the matrix that is about to go makes of a gradient.
  private func noteOldDirection(_ i: Int, _ gradient: borrowing Matrix<Scalar>) throws(FisherError) {
    guard let old = oldDirections[i] else { return }
    old.value.setToZero()
    if isReady[i] {
      old.value.copy(from: gradient)
      try curvatures[i]?.precondition(&old.value)
    }
  }

  private func preconditionGradients(of model: any Model<Scalar>) throws(FisherError) {
    let parameters = model.parameters
    for i in parameters.indices { try curvatures[i]?.precondition(&parameters[i].gradient) }
  }

  /// Compares the directions of this step with those that the matrices before its refresh gave.
  private func noteDrift(_ parameters: [Parameter<Scalar>]) {
    guard schedule.drift != nil else { return }
    var meter = DriftMeter()
    for i in curvatures.indices where isRefreshed[i] {
      if let old = oldDirections[i] { meter.add(before: old.value, after: parameters[i].gradient) }
    }
    if let drift = meter.drift { clock.note(drift: drift) }
  }
}
