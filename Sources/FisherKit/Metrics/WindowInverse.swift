/// How the matrix of a layer is formed from a window of samples, held, and inverted: what tells one metric from another.
///
/// A kind of inverse is one class in one file. It is made for inputs of some order, those of the layer or what they were
/// projected to.
protocol WindowInverse<Scalar>: State {
  associatedtype Scalar: KernelScalar
  /// Sees all of a window, and what its samples weigh, before a refresh; by default ``weigh(_:preactivations:)`` is enough.
  func note(_ window: borrowing SampleWindow<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError)
  /// What a sample weighs in the matrix, from its pre-activations z (n,m): ν (n,m), or η of a softmax.
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>)
  /// Adds the ν of each neuron, over all samples, to the sums.
  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double])
  /// Takes the matrix over samples X̃ (n, order) with weights (n,m) for the one to be inverted.
  /// - Throws: `notPositiveDefinite`.
  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError)
  /// The parts that a refresh can be done in, where that is asked for; by default one.
  var refreshParts: Int { get }
  /// One part after the other, with the same samples: the last one changes what is inverted, and the others nothing.
  func refresh(
    part: Int, inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError)
  /// Replaces V (m, order) by (Ĝ + λI)⁻¹V. Allocates nothing.
  func precondition(_ vectors: inout Matrix<Scalar>) throws(FisherError)
  /// Replaces each row g_i of a gradient by Uᵀ(Ĝ_i + λI)⁻¹Ug_i + outside_i (g_i − UᵀUg_i), with Ĝ in a subspace U, all at once;
  /// `inside` and `result` are room. By default it has no way to, and whoever asks does it part by part.
  /// - Returns: whether it did.
  func precondition(
    _ gradient: inout Matrix<Scalar>, in basis: borrowing Matrix<Scalar>, outside: [Double],
    inside: inout Matrix<Scalar>, result: inout Matrix<Scalar>
  ) -> Bool
  var bytes: Int { get }
}

extension WindowInverse {
  func precondition(
    _ gradient: inout Matrix<Scalar>, in basis: borrowing Matrix<Scalar>, outside: [Double],
    inside: inout Matrix<Scalar>, result: inout Matrix<Scalar>
  ) -> Bool { false }

  func note(_ window: borrowing SampleWindow<Scalar>, weights: borrowing Matrix<Scalar>) {}

  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { weights.addColumns(to: &sums) }

  var refreshParts: Int { 1 }

  func refresh(
    part: Int, inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    try refresh(inputs: inputs, weights: weights)
  }
}

/// A window of samples and the inverse that is made of it at each refresh.
final class WindowedCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private let inverse: any WindowInverse<Scalar>
  private var window: SampleWindow<Scalar>
  private var weights: Matrix<Scalar>
  private var isReady = false
  let estimate: CurvatureEstimate

  init(
    for site: CurvatureSite<Scalar>, windowLimit: Int, estimate: CurvatureEstimate,
    _ inverse: any WindowInverse<Scalar>
  ) throws(FisherError) {
    self.estimate = estimate
    self.site = site
    self.inverse = inverse
    window = try SampleWindow(for: site, limit: windowLimit)
    weights = try Matrix(
      rows: window.inputs.capacity, columns: site.neurons, what: "\(site.name): ν of \(window.inputs.capacity) samples")
  }

  var bytes: Int { inverse.bytes + window.bytes + weights.bytes }

  func visit(_ visitor: StateVisitor) throws {
    // (between the parts of a refresh the next one goes on with these weights)
    let isUnderWay = try visitor.recorded("is under way", window.isFrozen)
    try visitor.value("window", &window)
    if isUnderWay { try visitor.visit("weights", &weights) } else { visitor.scratch("weights", weights) }
    try visitor.child("inverse", inverse)
    try visitor.visit("is ready", &isReady)
  }

  var addsBias: Bool { true }

  func observe(_ observed: borrowing Observation<Scalar>) { window.take(observed) }

  func expectRefresh(after steps: Int, isEarly: Bool) { window.expectRefresh(after: steps, isEarly: isEarly) }

  func refresh() throws(FisherError) {
    var isDone = false
    defer { if !isDone { window.removeAllIfFull() } }
    try weigh()
    try inverse.refresh(inputs: window.inputs, weights: weights)
    window.refreshed()
    (isDone, isReady) = (true, true)
  }

  private func weigh() throws(FisherError) {
    try window.requireSamples(for: site)
    weights.resize(rows: window.inputs.rows)
    inverse.weigh(&weights, preactivations: window.preactivations)
    if let neuron = weights.removeNonFinite() { site.report(.samplesLeftOut, neuron: neuron) }
    try inverse.note(window, weights: weights)
  }

  var refreshParts: Int { inverse.refreshParts }

  func refresh(part: Int) throws(FisherError) {
    if refreshParts == 1 { return try refresh() }
    var isDone = false
    defer { if !isDone { window.removeAllIfFull() } }
    if part == 0 {
      try weigh()
      window.freeze()
    }
    try inverse.refresh(part: part, inputs: window.inputs, weights: weights)
    isDone = true
    if part == refreshParts - 1 { window.refreshed() }
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    demand(isReady, "\(site.name): the curvature was not refreshed, or its factorisation failed")
    try inverse.precondition(&gradient)
  }
}

extension SampleWindow {
  /// Leaves out samples that are not finite, and reports them.
  /// - Throws: `notPositiveDefinite` where no sample is left.
  mutating func requireSamples(for site: CurvatureSite<Scalar>) throws(FisherError) {
    demand(inputs.rows > 0, "a refresh needs at least one observation")
    if removeNonFinite() > 0 { site.report(.samplesLeftOut) }
    guard inputs.rows > 0 else {
      throw .notPositiveDefinite(
        FactorizationFailure(
          parameter: site.name, neuron: nil, pivot: 0, value: .nan, failedBlocks: site.neurons, blocks: site.neurons,
          order: site.order, damping: site.damping.amount))
    }
  }
}
