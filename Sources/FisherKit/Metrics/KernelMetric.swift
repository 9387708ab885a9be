/// The exact matrices of a window of fewer samples than inputs, in kernel form (Woodbury): systems of order n instead of
/// d, from the inner products of the samples, which all neurons of a layer share.
///
///     (Ĝ_i + λI)⁻¹g = (g − S_iᵀ(λI + S_iS_iᵀ)⁻¹S_ig)/λ,  S_i = diag(√(ν_i/n)) X̃
///
/// with one step of refinement, which takes out what the division by λ loses. A softmax layer has one system of order
/// n(m − 1) through the square root of diag η − ηηᵀ. The samples are a uniform sample of the refresh interval.
///
/// A softmax's system is of order ``softmaxOrderLimit`` at most: of many classes the window is so much smaller, on every
/// machine the same, and the plan says so. Classes that are more than that limit have a window of one sample, which is
/// refused where its system does not fit the memory that is free.
///
/// Memory: m blocks of n(n+1)/2 elements, the window twice, and for a softmax (n(m−1))². Cost of a refresh: 2n²d + m n³/3
/// flops; of a step: 8mnd + 4mn².
public struct KernelMetric: Metric {
  /// n: the most samples that a refresh is made of.
  public let windowSamples: Int

  public init(windowSamples: Int = 100) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "kernel" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireSharedInputs(for: name)
    if let layers = site.twoLayers { return try TwoLayerInverse<S>.curvature(for: site, layers: layers) }
    guard site.damping.amount > 0 else {
      throw .invalidArgument(
        what: "damping", expected: "a positive number with the kernel metric", found: "\(site.damping.amount)")
    }
    if case .coupled = site.subsystem.form { throw site.noWay(for: name) }
    let (samples, estimate) = (samples(for: site), estimate(for: site))
    if site.isSoftmax, let free = availableMemory(), estimate.bytes > free {
      throw .exceedsMemoryCap(
        what: "\(site.name): \(estimate.summary)", bytes: estimate.bytes, cap: free,
        instead: "the projected metric, or the diagonal one, takes less")
    }
    return try WindowedCurvature<S>(
      for: site, windowLimit: samples, estimate: estimate,
      site.isSoftmax
        ? SoftmaxKernelInverse<S>(for: site, samples: samples) : KernelInverse<S>(for: site, samples: samples))
  }

  /// The largest system of a softmax: one of 64 MB with `Float`, and a second or so of a refresh.
  public static var softmaxOrderLimit: Int { 4096 }

  /// The samples of a window.
  private func samples<S: KernelScalar>(for site: CurvatureSite<S>) -> Int {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    guard site.isSoftmax else { return samples }
    return min(samples, max(1, Self.softmaxOrderLimit / max(1, site.neurons - 1)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    if let layers = site.twoLayers { return TwoLayerInverse<S>.estimate(for: site, layers: layers) }
    let samples = samples(for: site)
    let (m, d, n) = (Double(site.neurons), Double(site.order), Double(samples))
    var window = CurvatureEstimate(summary: "kernel, \(samples) samples", bytes: site.windowBytes(samples))
    if site.isSoftmax {
      let factor = CoupledFactorBytes(site: site, samples: samples, outer: nil)
      let (k, held) = (n * (m - 1), site.bytes(factor.factors, factor.factors))
      let wanted = SampleWindow<S>.capacity(for: site, limit: windowSamples)
      window.summary = "kernel, one softmax system of order \(factor.factors), \(samples) samples"
      if samples < wanted { window.summary += " instead of \(wanted), for the many classes" }
      return window.adding(
        bytes: SoftmaxKernelInverse<S>.bytes(for: site, samples: samples),
        refresh: Work(products: 2 * k * k * m, factors: k * k * k / 3, bytes: 3 * Double(held), calls: 4),
        step: Work(products: 12 * n * m * d, solves: 6 * k * k, bytes: 3 * Double(held), calls: 12))
    }
    let held = site.blockBytes(order: samples)
    return window.adding(
      bytes: KernelInverse<S>.bytes(for: site, samples: samples),
      refresh: Work(products: 2 * n * n * d, factors: m * n * n * n / 3, bytes: 3 * Double(held), calls: 3),
      step: Work(
        products: 8 * m * n * d, solves: 4 * m * n * n, bytes: 4 * Double(held), calls: 8))
  }
}

/// One system of order n(m − 1) for all classes. A refresh allocates it anew, and so does what restores it.
final class SoftmaxKernelInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let samples: Int
  private var factor: (any DampedInverse<Scalar>)?

  /// What the factor was made of: much less than it is.
  private final class Origin: State {
    var inputs: Matrix<Scalar>
    var eta: Matrix<Scalar>
    var damping: Double

    init(for site: CurvatureSite<Scalar>, samples: Int, damping: Double = 0) throws(FisherError) {
      inputs = try Matrix(rows: samples, columns: site.order, what: "\(site.name): inputs of a factor")
      eta = try Matrix(rows: samples, columns: site.neurons, what: "\(site.name): probabilities of a factor")
      self.damping = damping
    }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.visit("inputs", &inputs)
      try visitor.visit("probabilities", &eta)
      try visitor.visit("damping", &damping)
    }
  }

  /// - Parameter samples: the most that a refresh is given.
  init(for site: CurvatureSite<Scalar>, samples: Int) { (self.site, self.samples) = (site, samples) }

  var bytes: Int { Self.bytes(for: site, samples: samples) }

  /// The factor of a full window, with the most that there is beside it while it is made.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    CoupledFactorBytes(site: site, samples: samples, outer: nil).makingLowRank
  }

  func visit(_ visitor: StateVisitor) throws {
    if visitor.isCounting { return visitor.scratch("factor", bytes: bytes) }
    var origin: Origin?
    if let factor = factor as? LowRankFactor<Scalar>,
      let covariance = factor.block.covariance as? SoftmaxCovariance<Scalar>
    {
      let made = try Origin(for: site, samples: samples, damping: factor.damping)
      made.inputs.copy(from: factor.block.observations.inputs)
      made.eta.copy(from: covariance.eta)
      origin = made
    }
    try visitor.optional("factor", &origin) { try Origin(for: site, samples: samples) }
    guard visitor.isRestoring else { return }
    factor = try origin.map {
      try LowRankFactor(
        block(inputs: $0.inputs, eta: $0.eta), damping: $0.damping, memoryCap: .max, parameter: site.name)
    }
  }

  private func block(
    inputs: borrowing Matrix<Scalar>, eta weights: borrowing Matrix<Scalar>
  ) throws(FisherError) -> SampledBlock<Scalar> {
    var eta = try Matrix<Scalar>(rows: weights.rows, columns: weights.columns, what: "\(site.name): probabilities")
    eta.copy(from: weights)
    return try SampledBlock<Scalar>(inputs: inputs, covariance: SoftmaxCovariance<Scalar>(eta: eta))
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.setToSoftmax(of: z)
  }

  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { weights.addVariances(to: &sums) }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    factor = nil
    let block = try block(inputs: inputs, eta: weights)
    factor = try site.factor(trace: try block.trace(), order: site.neurons * site.order) {
      (lambda) throws(FisherError) in
      // (it divides by λ, and classes that are certain leave none)
      guard lambda >= Ladder.leastDivisor(Scalar.self) else { throw site.notFactored(lambda) }
      return try LowRankFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
    }
    assert(factor.map { $0.bytes <= bytes } ?? true, "\(site.name): a factor larger than planned")
  }

  func precondition(_ vectors: inout Matrix<Scalar>) throws(FisherError) { try factor?.solve(&vectors) }
}
