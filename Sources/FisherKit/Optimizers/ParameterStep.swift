/// One parameter of a model in ``RNGD``: its curvature with the state of its refreshes, and the step under way.
final class ParameterStep<Scalar: KernelScalar> {
  let parameter: Parameter<Scalar>
  let name: String
  let curvature: (any Curvature<Scalar>)?
  /// The damping of the curvature, and where what it survives is written down.
  let damping: SiteDamping?
  let incidents: IncidentLog
  /// The curvature of the layer below that is paired with this one.
  var lowerOfPair: (any PairCurvature<Scalar>)?
  /// g, while the parameter's gradient becomes δ.
  private var gradient: Matrix<Scalar>
  /// g_iᵀδ_i of each neuron.
  private var dots: [Double]
  /// ‖g‖² by the loss alone, of the last step, and ‖W‖² of late.
  private var gradientSquares = 0.0
  private var weightSquares = 0.0
  /// gᵀδ of the step.
  private(set) var product = 0.0
  /// The mean square of the layer's pre-activations, over the last ten mini-batches or so, in whose units normal outputs
  /// move; 1 where the outputs are probabilities.
  private(set) var outputScale = 1.0
  private let hasNormalOutputs: Bool
  private var isObserved = false
  /// Of each sample; for mini-batches of one size.
  private var squares: [Double] = []
  /// What the trust region makes of the step.
  var scale = 1.0
  /// Steps so far that it made shorter.
  var boundSteps = 0

  /// Whether there is a matrix to go by.
  private(set) var isReady = false
  /// Whether a refresh, or a part of one, is due at this step, and whether it was the last part.
  var isDue = false
  private(set) var isRefreshed = false
  /// The next part of a refresh under way, or 0.
  private var nextPart = 0
  /// The direction by the matrix before a refresh, for an adaptive schedule.
  private var oldDirection: KeptMatrix<Scalar>?

  init(
    _ parameter: Parameter<Scalar>, curvature: (any Curvature<Scalar>)?, damping: SiteDamping?,
    incidents: IncidentLog, measuresDrift: Bool
  ) throws(FisherError) {
    self.parameter = parameter
    name = parameter.name
    self.curvature = curvature
    self.damping = damping
    self.incidents = incidents
    gradient = try Matrix(
      rows: parameter.neurons, columns: parameter.order, what: "\(parameter.name): gradient beside the step")
    dots = Array(repeating: 0, count: parameter.neurons)
    hasNormalOutputs = (parameter.pair?.outer.subsystem ?? parameter.subsystem)?.hasNormalOutputs ?? false
    oldDirection =
      measuresDrift && curvature != nil ? try KeptMatrix(like: parameter, what: "direction before a refresh") : nil
  }

  var bytes: Int {
    (curvature?.bytes ?? 0) + gradient.bytes + dots.count * MemoryLayout<Double>.stride
      + (oldDirection?.value.bytes ?? 0)
  }

  /// Takes note of a mini-batch.
  func observe(
    inputs: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    try curvature?.observe(inputs: inputs, preactivations: z)
    lowerOfPair?.observeOuter(preactivations: z)
    guard hasNormalOutputs, parameter.pair == nil else { return }
    if squares.count != z.rows { squares = Array(repeating: 0, count: z.rows) }
    z.rowDots(z, into: &squares)
    var sum = 0.0
    for s in squares.indices { sum += squares[s] }
    let mean = sum / Double(max(1, z.rows * z.columns))
    outputScale = isObserved ? 0.9 * outputScale + 0.1 * mean : mean
    isObserved = true
  }

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
    gradient.take(&parameter.gradient, weights: parameter.value, l2: decay, squares: &dots)
    let sum = sumOfDots()
    guard sum.isFinite else { return false }
    gradientSquares = sum
    return true
  }

  /// How many times l2 ‖W‖ a gradient has to be for the penalty to count in full.
  private static var loudGradient: Double { 30 }

  private func limit(_ l2: Double, samples: Int?, step: Int) -> Double {
    guard l2 > 0, let samples else { return l2 }
    if step % 16 == 1 {
      parameter.value.rowDots(parameter.value, into: &dots)
      weightSquares = sumOfDots()
    }
    guard weightSquares > 0 else { return l2 }
    if step == 1 {
      parameter.gradient.rowDots(parameter.gradient, into: &dots)
      gradientSquares = sumOfDots()
    }
    let said = gradientSquares * min(1, Double(samples) / 50)
    let loud = Self.loudGradient * l2
    return l2 * min(1, said / (loud * loud * weightSquares))
  }

  /// In how many parts a refresh is done: the first one is whole, since parts need a matrix to go on with.
  var parts: Int { isReady ? curvature?.refreshParts ?? 1 : 1 }

  /// A refresh, or its next part. Where it fails, what was there stays in use; where nothing was, plain gradients are
  /// taken until the next one. Either is reported.
  func refresh() throws(FisherError) {
    isRefreshed = false
    guard isDue, let curvature else { return }
    let (parts, part) = (parts, nextPart)
    let isLast = part == parts - 1
    if isLast { try noteOldDirection() }
    nextPart = 0
    do throws(FisherError) {
      if parts > 1 { try curvature.refresh(part: part) } else { try curvature.refresh() }
    } catch {
      // (a refresh in parts has not touched what is in use)
      isReady = isReady && parts > 1
      guard case .notPositiveDefinite(let failure) = error else { throw error }
      incidents.add(
        Incident(layer: name, neuron: failure.neuron, remedy: isReady ? .lastGoodBlock : .plainGradient))
      isRefreshed = true
      return
    }
    isRefreshed = isLast
    if isLast { isReady = true } else { nextPart = part + 1 }
  }

  /// For an adaptive schedule, what the matrix that is about to go makes of the gradient.
  private func noteOldDirection() throws(FisherError) {
    guard let oldDirection else { return }
    oldDirection.value.setToZero()
    if isReady {
      oldDirection.value.copy(from: parameter.gradient)
      try curvature?.precondition(&oldDirection.value)
    }
  }

  /// Adds how far this step's direction is from that of the matrix before its refresh.
  func addDrift(to meter: inout DriftMeter) {
    if isRefreshed, let oldDirection { meter.add(before: oldDirection.value, after: parameter.gradient) }
  }

  /// The parameter's gradient g becomes δ = (Ĝ + λI)⁻¹g. Neurons for which that is no number, and layers for which it does
  /// not descend, take g itself.
  /// - Returns: whether it was as it should be.
  func precondition() throws(FisherError) -> Bool {
    if isReady { try curvature?.precondition(&parameter.gradient) }
    product = innerProduct()
    if product.isFinite && (product > 0 || !isReady) { return true }
    if product == 0 && gradient.isZero { return true }
    let isLayer = product.isFinite
    for i in dots.indices where isLayer || !dots[i].isFinite {
      parameter.gradient.copyRow(i, from: gradient)
      if !isLayer { incidents.add(Incident(layer: name, neuron: i, remedy: .plainGradient)) }
    }
    if isLayer { incidents.add(Incident(layer: name, remedy: .plainGradient)) }
    product = innerProduct()
    return false
  }

  private func innerProduct() -> Double {
    gradient.rowDots(parameter.gradient, into: &dots)
    return sumOfDots()
  }

  private func sumOfDots() -> Double {
    var sum = 0.0
    for i in dots.indices { sum += dots[i] }
    return sum
  }
}

extension Matrix {
  /// Whether every element is 0.
  fileprivate var isZero: Bool {
    for i in 0..<rows { for j in 0..<columns where self[i, j] != 0 { return false } }
    return true
  }
}
