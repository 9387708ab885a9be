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
  /// T, in steps.
  public let refreshInterval: Int
  public let l2: Double
  /// Takes the time of the parts of a step, where there is one.
  public var profile: StepProfile?
  private var curvatures: [(any Curvature<Scalar>)?] = []
  /// For each parameter, the curvature of the layer below that is paired with it.
  private var lowerOfPairs: [(any PairCurvature<Scalar>)?] = []
  private var steps = 0
  /// For each parameter, whether a refresh is due: at the first step, and until one that failed has succeeded. Those that
  /// had succeeded before it are not done again, with the few samples that came since.
  private var isDue: [Bool] = []
  private var batchSize = 0
  /// What all curvatures take together.
  private var work = (refresh: Work(), step: Work())

  /// - Parameters:
  ///   - metric: by default an ``AutoMetric``.
  ///   - damping: λ ≥ 0. With λ = 0 the first refresh fails wherever a mini-batch has fewer samples than a layer has
  ///     inputs.
  public init(
    metric: (any Metric)? = nil, learningRate: Double, damping: Double = 0.005, refreshInterval: Int = 100,
    l2: Double = 0
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, l2: l2)
    try require(damping >= 0 && damping <= 1e30, "damping", expected: "a number from 0 to 1e30", found: damping)
    guard refreshInterval > 0 else {
      throw .invalidArgument(what: "refresh", expected: "a number of steps from 1 up", found: "\(refreshInterval)")
    }
    self.metric = if let metric { metric } else { try AutoMetric() }
    self.learningRate = learningRate
    self.damping = damping
    self.refreshInterval = refreshInterval
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
  public var bytes: Int { curvatures.reduce(0) { $0 + ($1?.bytes ?? 0) } }

  public func prepare(for model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    (curvatures, steps, self.batchSize) = ([], 0, batchSize)
    var sites: [CurvatureSite<Scalar>] = []
    let count = model.parameters.count { $0.subsystem != nil }
    var index = 0
    for parameter in model.parameters {
      guard let subsystem = parameter.subsystem else {
        continue
      }
      guard parameter.pair == nil || metric.takesPairs else {
        throw .invalidArgument(
          what: "\(parameter.name): pair of layers", expected: "a metric that takes pairs, such as exact",
          found: "\(metric)")
      }
      let site = CurvatureSite<Scalar>(
        name: parameter.name, index: index, count: count, neurons: parameter.neurons, order: parameter.order,
        subsystem: subsystem, batchSize: batchSize, refreshInterval: refreshInterval, damping: damping,
        pair: parameter.pair)
      sites.append(site)
      index += 1
    }
    var made = try metric.makeCurvatures(for: sites)[...]
    curvatures = model.parameters.map { $0.subsystem == nil ? nil : made.removeFirst() }
    isDue = curvatures.map { $0 != nil }
    plan = zip(sites, curvatures.compactMap { $0 }).map {
      LayerPlan(name: $0.name, estimate: $1.estimate, bytes: $1.bytes)
    }
    work = (Work(), Work())
    for layer in plan { work = (work.refresh + layer.estimate.refresh, work.step + layer.estimate.step) }
    lowerOfPairs = model.parameters.map { outer in
      let lower = model.parameters.firstIndex { $0.pair?.outer === outer }
      return lower.flatMap { curvatures[$0] as? any PairCurvature<Scalar> }
    }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [FactorizationFailure] {
    precondition(curvatures.count == model.parameters.count, "prepare the optimizer for this model first")
    steps += 1
    try model.requireFiniteGradients(step: steps)
    try profile.measure(.observe, Work()) { () throws(FisherError) in try observe(model) }
    var survived: [FactorizationFailure] = []
    if steps % refreshInterval == 0 {
      for i in isDue.indices { isDue[i] = curvatures[i] != nil }
    }
    if isDue.contains(true) {
      try profile.measure(.refresh, work.refresh) { () throws(FisherError) in survived = try refresh() }
    }
    try profile.measure(.precondition, work.step) { () throws(FisherError) in try preconditionGradients(of: model) }
    try model.requireFiniteGradients("step", step: steps)
    profile.measure(.update, model.updateWork) {
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

  private func refresh() throws(FisherError) -> [FactorizationFailure] {
    var survived: [FactorizationFailure] = []
    for i in curvatures.indices where isDue[i] {
      if let failure = try curvatures[i]?.refresh() { survived.append(failure) }
      isDue[i] = false
    }
    return survived
  }

  private func preconditionGradients(of model: any Model<Scalar>) throws(FisherError) {
    let parameters = model.parameters
    for i in parameters.indices {
      parameters[i].gradient.addWeightDecay(parameters[i].value, l2: l2)
      try curvatures[i]?.precondition(&parameters[i].gradient)
    }
  }
}
