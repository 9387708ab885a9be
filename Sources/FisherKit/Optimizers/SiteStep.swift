/// One site of a ``Preconditioner``: its curvature with the state of its refreshes, and the gradient under way.
///
///     not ready ──refresh──▶ ready ──refresh, part by part──▶ ready
///
/// A site without a matrix hands gradients on as they are. The first refresh is whole; later ones may come in parts, while
/// the last matrix is in use. A refresh that fails leaves what was there, or nothing; either is reported.
final class SiteStep<Scalar: KernelScalar>: State {
  let site: Site
  let curvature: any Curvature<Scalar>
  /// The damping of the curvature, and where what it survives is written down.
  let damping: SiteDamping
  private let incidents: IncidentLog
  let gradient: KeptGradient<Scalar>

  /// Whether there is a matrix to go by.
  private(set) var isReady = false
  /// Whether a refresh, or a part of one, is due at this step, whether it waits for the gradient, and whether it was the last
  /// part.
  var isDue = false
  var isWaiting = false
  private(set) var isRefreshed = false
  /// The next part of a refresh under way, or 0.
  private var nextPart = 0
  /// The direction by the matrix before a refresh, for an adaptive schedule.
  private var oldDirection: KeptMatrix<Scalar>?

  /// The mean square of the layer's pre-activations, over the last ten mini-batches or so, in whose units normal outputs
  /// move; 1 where the outputs are probabilities.
  private(set) var outputScale = 1.0
  private var isObserved = false
  /// Whether anything was observed since the last refresh.
  private var hasNews = false
  /// The most rows of a mini-batch.
  private let batchRows: Int
  /// Of each row.
  private var squares: [Double] = []
  /// X̃ of a mini-batch that came without its bias column, for a curvature that wants it.
  private var whole: KeptMatrix<Scalar>?
  private var padded: KeptMatrix<Scalar>?

  init(
    _ site: Site, curvature: any Curvature<Scalar>, batchRows: Int, damping: SiteDamping, incidents: IncidentLog,
    measuresDrift: Bool
  ) throws(FisherError) {
    self.site = site
    self.batchRows = batchRows
    self.curvature = curvature
    self.damping = damping
    self.incidents = incidents
    if site.subsystem.hasNormalOutputs {
      let (bytes, overflow) = batchRows.multipliedReportingOverflow(by: MemoryLayout<Double>.stride)
      guard !overflow, bytes < 1 << 26 || bytes <= availableMemory() ?? .max else {
        throw .outOfMemory(what: "\(site.name): squares of \(batchRows) rows", bytes: overflow ? .max : bytes)
      }
      squares.reserveCapacity(batchRows)
    }
    gradient = try KeptGradient(neurons: site.neurons, order: site.order, name: site.name)
    oldDirection =
      measuresDrift
      ? try KeptMatrix(neurons: site.neurons, order: site.order, what: "\(site.name): direction before a refresh") : nil
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("curvature", curvature)
    try visitor.child("damping", damping)
    try visitor.child("gradient", gradient)
    try visitor.visit("is ready", &isReady)
    try visitor.visit("next part", &nextPart, in: 0...max(0, curvature.refreshParts - 1))
    try visitor.visit("output scale", &outputScale)
    try visitor.visit("is observed", &isObserved)
    try visitor.visit("has news", &hasNews)
    for matrix in [oldDirection, whole, padded] {
      if let matrix { visitor.scratch("beside the step", matrix.value) }
    }
    // (as many as there may be, whatever the last mini-batch had)
    visitor.scratch("squares", bytes: site.subsystem.hasNormalOutputs ? batchRows * MemoryLayout<Double>.stride : 0)
  }

  /// Room for a gradient that came without padding; made when the first one comes.
  func scratch() throws(FisherError) -> KeptMatrix<Scalar> {
    if let padded { return padded }
    let made = try KeptMatrix<Scalar>(
      neurons: site.neurons, order: site.order, what: "\(site.name): gradient with its padding")
    padded = made
    return made
  }

  /// The most rows that ``outputScale`` goes by, where a sample has many.
  private static var scaleRows: Int { 4096 }

  /// Takes note of a mini-batch.
  func observe(_ observed: borrowing Observation<Scalar>) throws(FisherError) {
    if observed.inputs.columns == site.order || curvature.addsBias || !site.subsystem.sharesInputs {
      try curvature.observe(observed)
    } else {
      try observeWhole(observed)
    }
    defer { (hasNews, isObserved) = (true, true) }
    guard site.subsystem.hasNormalOutputs else { return }
    // (of many positions those of the first samples: a mean of squares needs no more)
    let enough = max(1, Self.scaleRows / site.positions) * site.positions
    let rows = min(observed.rows, enough)
    if squares.count != rows {
      squares.removeAll(keepingCapacity: true)
      for _ in 0..<rows { squares.append(0) }
    }
    let z = Matrix(viewing: observed.preactivations, rows: 0..<rows)
    z.rowDots(z, into: &squares)
    var sum = 0.0
    for s in squares.indices { sum += squares[s] }
    let mean = sum / Double(max(1, rows * site.neurons))
    outputScale = isObserved ? 0.9 * outputScale + 0.1 * mean : mean
  }

  private func observeWhole(_ observed: borrowing Observation<Scalar>) throws(FisherError) {
    if whole == nil {
      whole = try KeptMatrix(
        neurons: batchRows, order: site.order, what: "\(site.name): inputs with their bias column")
    }
    guard let whole else { return }
    whole.value.resize(rows: 0)
    for row in 0..<observed.rows { whole.value.append(row: row, of: observed.inputs) }
    try curvature.observe(
      Observation(
        inputs: whole.value, preactivations: observed.preactivations, positions: observed.positions,
        weightsAbove: observed.weightsAbove, preactivationsAbove: observed.preactivationsAbove))
  }

  /// In how many parts a refresh is done: the first one is whole, since parts need a matrix to go on with.
  var parts: Int { isReady ? curvature.refreshParts : 1 }

  /// A refresh, or its next part. Where it fails, what was there stays in use; where nothing was, plain gradients are
  /// taken until the next one. Either is reported.
  /// - Parameter gradient: of the step, for an adaptive schedule.
  func refresh(gradient: borrowing Matrix<Scalar>) throws(FisherError) {
    if nextPart == parts - 1 { try noteOldDirection(gradient) }
    try refresh()
  }

  func refresh() throws(FisherError) {
    isRefreshed = false
    guard isObserved else {
      throw .invalidArgument(
        what: "\(site.name): observation", expected: "one before the first refresh", found: "none")
    }
    // (what nothing was seen of keeps its matrix, and stays due)
    guard hasNews || nextPart > 0 else { return }
    let (parts, part) = (parts, nextPart)
    nextPart = 0
    do throws(FisherError) {
      if parts > 1 { try curvature.refresh(part: part) } else { try curvature.refresh() }
    } catch {
      // (a refresh in parts has not touched what is in use)
      isReady = isReady && parts > 1
      guard case .notPositiveDefinite(let failure) = error else { throw error }
      incidents.add(
        Incident(layer: site.name, neuron: failure.neuron, remedy: isReady ? .lastGoodBlock : .plainGradient))
      (isRefreshed, hasNews) = (true, false)
      return
    }
    isRefreshed = part == parts - 1
    if isRefreshed { (isReady, hasNews) = (true, false) } else { nextPart = part + 1 }
  }

  /// What the matrix that is about to go makes of the gradient.
  private func noteOldDirection(_ gradient: borrowing Matrix<Scalar>) throws(FisherError) {
    guard let oldDirection else { return }
    oldDirection.value.setToZero()
    if isReady {
      oldDirection.value.copy(from: gradient)
      try curvature.precondition(&oldDirection.value)
    }
  }

  /// Adds how far this step's direction is from that of the matrix before its refresh.
  func addDrift(of direction: borrowing Matrix<Scalar>, to meter: inout DriftMeter) {
    if isDue, isRefreshed, let oldDirection { meter.add(before: oldDirection.value, after: direction) }
  }

  /// What ``gradient`` was taken from becomes δ = (Ĝ + λI)⁻¹g. Neurons for which that is no number, and layers for which it
  /// does not descend, take g itself.
  /// - Returns: whether it was as it should be.
  func precondition(_ direction: inout Matrix<Scalar>) throws(FisherError) -> Bool {
    if isReady { try curvature.precondition(&direction) }
    return gradient.judge(&direction, isPreconditioned: isReady, name: site.name, incidents: incidents)
  }
}
