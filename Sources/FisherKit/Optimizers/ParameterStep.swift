/// One parameter of a model in ``RNGD``: the step under way.
final class ParameterStep<Scalar: KernelScalar>: State {
  let parameter: Parameter<Scalar>
  let name: String
  /// The place of its site among the preconditioner's, and what is there; `nil` leaves it to the plain gradient.
  let index: Int?
  let site: SiteStep<Scalar>?
  /// g, while the parameter's gradient becomes δ.
  private let gradient: KeptGradient<Scalar>
  private let incidents: IncidentLog
  /// ‖g‖² by the loss alone, of the last step, and ‖W‖² of late.
  private var gradientSquares = 0.0
  private var weightSquares = 0.0
  /// What the trust region makes of the step.
  var scale = 1.0
  /// Steps so far that it made shorter.
  var boundSteps = 0

  init(
    _ parameter: Parameter<Scalar>, index: Int?, of preconditioner: Preconditioner<Scalar>
  ) throws(FisherError) {
    self.parameter = parameter
    name = parameter.name
    self.index = index
    site = index.map { preconditioner.states[$0] }
    incidents = preconditioner.incidents
    gradient =
      if let site { site.gradient } else {
        try KeptGradient(neurons: parameter.neurons, order: parameter.order, name: parameter.name)
      }
  }

  /// What it holds beside its site.
  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("square of the gradient", &gradientSquares)
    try visitor.visit("square of the weights", &weightSquares)
    try visitor.visit("bound steps", &boundSteps, in: 0...(.max))
    if site == nil { try visitor.child("gradient", gradient) }
  }

  /// gᵀδ of the step.
  var product: Double { gradient.product }
  /// See ``SiteStep``.
  var outputScale: Double { site?.outputScale ?? 1 }
  var isReady: Bool { site?.isReady ?? false }

  /// Takes the loss's gradient g and adds that of ½ l2 ‖W‖², times (‖g‖/(30 l2 ‖W‖))² where that is less than 1, with the g of
  /// the step before. Where the loss says next to nothing of a layer yet, as at the bottom of a deep network that was just
  /// started, the layer's matrix is next to nothing too, and would make of the penalty a step that only shrinks the weights:
  /// their signal fades, and with it what the loss says of them. Where a network trains, ‖g‖ is 20 to 300 times l2 ‖W‖.
  ///
  /// Below a mini-batch of 50 the gradient is longer by its noise, which says nothing: by √(50/samples).
  ///
  /// - Parameters:
  ///   - samples: of a mini-batch; `nil` for no limit. `step`: ‖W‖ is taken every 16 steps.
  /// - Returns: whether the gradient is all numbers.
  func takeGradient(l2: Double, samples: Int?, step: Int) -> Bool {
    let decay = parameter.isDecayed ? limit(l2, samples: samples, step: step) : 0
    let square = gradient.take(&parameter.gradient, weights: parameter.value, l2: decay)
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
  func turn(by preconditioner: Preconditioner<Scalar>) throws(FisherError) {
    if let index { return try preconditioner.turn(&parameter.gradient, at: index) }
    _ = gradient.judge(&parameter.gradient, isPreconditioned: false, name: name, incidents: incidents)
  }
}
