/// One Kronecker product for all neurons of a layer, Ĝ ≈ A ⊗ S with A = E[A_s] and S = E[x̃x̃ᵀ] over the window of the samples
/// seen since the last refresh: see ``KroneckerBlock``. It couples the hidden neurons of a pair of layers and the classes of a
/// softmax at the price of two small matrices, where ``ExactMetric`` has one of order md; independent neurons it gives one S
/// with the mean ν of each.
///
/// Memory: 3(m² + d²) elements, two matrices (m,d), and the window. Cost of a refresh with n samples: n d² + about 9(m³ + d³)
/// flops and what the A_s take; of a step: 4md(m + d).
public struct KroneckerMetric: Metric {
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(windowSamples: Int = 1000) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "kronecker" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireSharedInputs(for: name)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      KroneckerInverse<S>(for: site, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let (m, d, n) = (Double(site.neurons), Double(site.order), Double(samples))
    let above = Double(site.site.neuronsAbove ?? 0)
    let held = Double(sum(ofBytes: site.bytes(site.order, site.order), site.bytes(site.neurons, site.neurons)))
    return CurvatureEstimate(
      summary: "Kronecker, factors of order \(site.neurons) and \(site.order), \(samples) samples",
      bytes: KroneckerInverse<S>.bytes(for: site, samples: samples),
      refresh: Work(
        products: n * d * d + n * m * m * (1 + 4 * above), factors: 9 * (m * m * m + d * d * d), bytes: 9 * held,
        calls: 4 + m),
      step: Work(products: 4 * m * d * (m + d), bytes: 2 * held, calls: 4)
    )
    .adding(bytes: site.windowBytes(samples))
  }
}

final class KroneckerInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let samples: Int
  private var current: KroneckerFactor<Scalar>
  private var next: KroneckerFactor<Scalar>
  private var isReady = false
  /// A, of the window that is refreshed from.
  private var outputs: Matrix<Scalar>
  /// Of the weights, neuron by neuron.
  private var means: [Double]

  init(for site: CurvatureSite<Scalar>, samples: Int) throws(FisherError) {
    (self.site, self.samples) = (site, samples)
    current = try KroneckerFactor(neurons: site.neurons, order: site.order, what: site.name)
    next = try KroneckerFactor(neurons: site.neurons, order: site.order, what: site.name)
    means = Array(repeating: 0, count: site.neurons)
    outputs = try Matrix(rows: site.neurons, columns: site.neurons, what: "\(site.name): outputs' factor")
  }

  var bytes: Int { Self.bytes(for: site, samples: samples) }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.child("factors", current)
    try visitor.visit("is ready", &isReady)
    visitor.scratch("next factors", bytes: next.bytes)
    visitor.scratch("outputs", outputs)
    visitor.scratch("means", means)
    visitor.scratch("covariances", bytes: Self.covarianceBytes(for: site, samples: samples))
  }

  /// What makes the A_s at a refresh.
  private static func covarianceBytes(for site: CurvatureSite<Scalar>, samples n: Int) -> Int {
    let (own, m) = (site.bytes(n, site.neurons), site.neurons)
    switch site.subsystem.form {
    case .softmax: return sum(ofBytes: own, own, Scalar._kernels.softmaxBlockMatvecWorkSize(n, m))
    case .coupled(let coupling):
      let (roots, overflow) = n.multipliedReportingOverflow(by: coupling.rank(neurons: m))
      return sum(ofBytes: own, own, overflow ? .max : site.bytes(roots, m))
    case .twoLayers:
      let above = site.site.neuronsAbove ?? 1
      let outputs = site.bytes(n, above)
      return sum(ofBytes: own, own, site.bytes(above, m), outputs, outputs, outputs, outputs)
    case .shared, .neurons, .channels, .windows: return 0
    }
  }

  /// Before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    let factor = KroneckerFactor<Scalar>.bytes(neurons: site.neurons, order: site.order)
    return sum(
      ofBytes: factor, factor, site.bytes(site.neurons, site.neurons), site.neurons * MemoryLayout<Double>.stride,
      covarianceBytes(for: site, samples: samples))
  }

  /// ν of independent neurons, η of a softmax, f′ of a pair's lower layer, and z of what is coupled.
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    switch site.subsystem.form {
    case .softmax: weights.setToSoftmax(of: z)
    case .coupled: weights.copy(from: z)
    case .twoLayers(let layers): weights.setToSlopes(of: layers.hidden, at: z)
    case .shared, .neurons, .channels, .windows: site.subsystem.nu(&weights, preactivations: z)
    }
  }

  private func takeMeans(of weights: borrowing Matrix<Scalar>) {
    for i in means.indices { means[i] = 0 }
    weights.addColumns(to: &means)
    for i in means.indices { means[i] /= Double(max(1, weights.rows)) }
  }

  /// A of the window.
  func note(_ window: borrowing SampleWindow<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let n = weights.rows
    switch site.subsystem.form {
    case .softmax:
      // (diag E[η] − E[ηηᵀ])
      outputs.setToGram(weights, alpha: -1 / Double(n))
      takeMeans(of: weights)
      for i in means.indices { outputs[i, i] += Scalar(means[i]) }
    case .coupled(let coupling):
      try coupling.covariance(preactivations: weights).mean(into: &outputs)
    case .twoLayers(let layers):
      var slopes = try Matrix<Scalar>(rows: n, columns: weights.columns, what: "\(site.name): slopes")
      slopes.copy(from: weights)
      let pair = try TwoLayerCovariance<Scalar>(
        slopes: slopes, outerWeights: window.weightsAbove,
        outputs: try layers.outer.outputCovariance(preactivations: window.preactivationsAbove))
      try pair.mean(into: &outputs)
    case .shared, .neurons, .channels, .windows:
      outputs.setToZero()
      takeMeans(of: weights)
      for i in means.indices { outputs[i, i] = Scalar(means[i]) }
    }
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    var trace = 0.0
    let (a, isBroken) = (
      outputs.trace, site.incidents.faults?.breaks(layer: site.name, neuron: nil, attempt: 0) ?? false
    )
    do throws(FisherError) {
      if isBroken { throw site.notFactored(0) }
      try next.set(
        outputs: { (matrix) throws(FisherError) in matrix.copy(from: outputs) },
        inputs: { (matrix) throws(FisherError) in
          matrix.setToGram(inputs, alpha: 1 / Double(inputs.rows))
          trace = matrix.trace
        })
    } catch {
      // (not finite, or no eigenvectors that LAPACK finds)
      guard isReady else { throw site.notFactored(0) }
      return site.report(.lastGoodBlock)
    }
    next.damping = site.lambda(trace: a * trace, order: site.neurons * site.order)
    if !(next.smallest > 0) {
      next.damping = max(next.damping, Ladder.leastDamping)
      site.report(.raisedDamping, damping: next.damping)
    }
    swap(&current, &next)
    isReady = true
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { current.solve(&vectors) }
}
