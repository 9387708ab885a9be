/// One parameter of a model in ``RNGD``: the step under way.
final class ParameterStep<Scalar: KernelScalar>: State {
  let parameter: Parameter<Scalar>
  let name: String
  /// The place of its site among the preconditioner's, and what is there; `nil` leaves it to the plain gradient.
  let index: Int?
  let site: SiteStep<Scalar>?
  /// g, while the parameter's gradient becomes δ.
  private let gradient: KeptGradient<Scalar>
  /// Of gradients, or of directions with the gradients of the same steps.
  private let mean: RunningMean<Scalar>?
  private let meanGradient: RunningMean<Scalar>?
  private let graft: GraftLength<Scalar>?
  private let settings: NaturalStep
  private let incidents: IncidentLog
  /// ‖g‖² by the loss alone, of the last step, and ‖W‖² of late.
  private var gradientSquares = 0.0
  private var weightSquares = 0.0
  /// What the trust region makes of the step.
  var scale = 1.0
  /// Steps so far that it made shorter.
  var boundSteps = 0

  init(
    _ parameter: Parameter<Scalar>, index: Int?, of preconditioner: Preconditioner<Scalar>, settings: NaturalStep
  ) throws(FisherError) {
    self.parameter = parameter
    self.settings = settings
    name = parameter.name
    self.index = index
    site = index.map { preconditioner.states[$0] }
    incidents = preconditioner.incidents
    gradient =
      if let site { site.gradient } else {
        try KeptGradient(neurons: parameter.neurons, order: parameter.order, name: parameter.name)
      }
    let momentum = settings.momentum
    mean = settings.hasMomentum ? try RunningMean(like: parameter) : nil
    meanGradient = settings.hasMomentum && momentum.place == .after ? try RunningMean(like: parameter) : nil
    graft = settings.graft == .none ? nil : try GraftLength(settings.graft, like: parameter)
  }

  /// What it holds beside its site.
  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("square of the gradient", &gradientSquares)
    try visitor.visit("square of the weights", &weightSquares)
    try visitor.visit("bound steps", &boundSteps, in: 0...(.max))
    if site == nil { try visitor.child("gradient", gradient) }
    if let mean { try visitor.child("running mean", mean) }
    if let meanGradient { try visitor.child("running mean of gradients", meanGradient) }
    if let graft { try visitor.child("graft", graft) }
  }

  /// δᵀ(Ĝ + λI)δ of the step: gᵀδ.
  private(set) var product = 0.0
  /// See ``SiteStep``.
  var outputScale: Double { site?.outputScale ?? 1 }
  var isReady: Bool { site?.isReady ?? false }

  /// Takes the loss's gradient g, of which ``parameter``'s becomes what the step goes by: a running mean, where gradients are
  /// averaged before they are preconditioned. First adds that of ½ l2 ‖W‖², times (‖g‖/(30 l2 ‖W‖))² where that is less than 1, with the g of
  /// the step before. Where the loss says next to nothing of a layer yet, as at the bottom of a deep network that was just
  /// started, the layer's matrix is next to nothing too, and would make of the penalty a step that only shrinks the weights:
  /// their signal fades, and with it what the loss says of them. Where a network trains, ‖g‖ is 20 to 300 times l2 ‖W‖.
  ///
  /// Below a mini-batch of 50 the gradient is longer by its noise, which says nothing: by √(50/samples).
  ///
  /// - Parameters:
  ///   - samples: of a step; `nil` for no limit. `step`: ‖W‖ is taken every 16 steps. `share`: β, as a schedule may have it.
  /// - Returns: whether the gradient is all numbers.
  func takeGradient(samples: Int?, step: Int, share: Double) -> Bool {
    let decay = limit(settings.decay.coupled(of: parameter), samples: samples, step: step)
    let averages = mean != nil && settings.momentum.place == .before
    let decaysBiases = decay > 0 && settings.decay.includesLastColumn(of: parameter)
    if let mean, averages, graft == nil, !decaysBiases {
      let square = gradient.take(
        &parameter.gradient, weights: parameter.value, l2: decay, average: mean, share: share,
        isNesterov: settings.momentum.isNesterov)
      return note(square)
    }
    guard note(gradient.take(&parameter.gradient, weights: parameter.value, l2: decay)) else { return false }
    if decaysBiases { parameter.addCoupledBias(decay) }
    graft?.take(parameter.gradient)
    if averages { mean?.average(&parameter.gradient, share: share, isNesterov: settings.momentum.isNesterov) }
    if decaysBiases || averages { gradient.take(parameter.gradient) }
    return true
  }

  private func note(_ square: Double) -> Bool {
    guard square.isFinite else { return false }
    gradientSquares = square
    return true
  }

  /// How many times l2 ‖W‖ a gradient has to be for the penalty to count in full.
  private static var loudGradient: Double { 30 }

  private func limit(_ l2: Double, samples: Int?, step: Int) -> Double {
    guard l2 > 0, let samples else { return l2 }
    if step % 16 == 1 { weightSquares = gradient.square(of: parameter.value) }
    guard weightSquares > 0 else { return l2 }
    if step == 1 { gradientSquares = gradient.square(of: parameter.gradient) }
    let said = gradientSquares * min(1, Double(samples) / 50)
    let loud = Self.loudGradient * l2
    return l2 * min(1, said / (loud * loud * weightSquares))
  }

  /// The parameter's gradient g becomes δ.
  func turn(by preconditioner: Preconditioner<Scalar>, share: Double) throws(FisherError) {
    if let index {
      try preconditioner.turn(&parameter.gradient, at: index)
    } else {
      _ = gradient.judge(&parameter.gradient, isPreconditioned: false, name: name, incidents: incidents)
    }
    product = gradient.product
    if let mean, let meanGradient {
      mean.average(&parameter.gradient, share: share, isNesterov: settings.momentum.isNesterov)
      product = gradient.average(by: meanGradient, share: share, settings.momentum, along: parameter.gradient)
    }
    if let graft {
      let factor = graft.factor(for: parameter.gradient)
      parameter.gradient.scale(by: factor)
      product *= factor * factor
    }
  }

  /// W ← W − rate · δ − rate · λ W.
  func descend(rate: Double, learningRate: Double) {
    parameter.shrink(settings.decay, rate: learningRate)
    parameter.value.descend(parameter.gradient, rate: rate)
  }

  /// Forgets gradients, and the matrices that directions were made with.
  func restart() {
    mean?.restart()
    meanGradient?.restart()
    graft?.restart()
  }
}

/// What steps are made by beside matrices.
struct NaturalStep {
  var decay = WeightDecay.none
  var momentum = NaturalMomentum.none
  var graft = Graft.none
  /// Whether there is a running mean: a schedule may bring one, too.
  var hasMomentum: Bool { momentum.share > 0 }
}
