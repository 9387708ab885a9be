/// A block for every neuron that remembers: the exponential average over windows, without bias,
///
///     Ĝ_i = Σ_t β^t (Σ_s ν_i x̃x̃ᵀ)_t / Σ_t β^t n_t
///
/// with t the refreshes ago and n_t the samples of a window. β = 0 is the exact metric of the last window. A larger β
/// averages over more samples, of older weights: it pays where a window is small. A softmax layer has a block for each
/// class, ν = η(1 − η).
///
/// Memory: 2m blocks of d(d+1)/2 elements and the window. Cost of a refresh with n samples: m n d(d+1) + m d³/3 flops; of
/// a step: 2md².
public struct AverageMetric: Metric {
  /// β, what a refresh leaves of the one before.
  public let decay: Double
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(decay: Double = 0.5, windowSamples: Int = 1000) {
    (self.decay, self.windowSamples) = (decay, windowSamples)
  }

  public func validate() throws(FisherError) {
    try requireDecay(decay)
    try requireWindow(windowSamples)
  }

  public var name: String { "average" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      AverageInverse<S>(
        for: site, decay: decay, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    var estimate = site.blocksEstimate(order: site.order, samples: samples)
    estimate.summary = "average of windows, \(estimate.summary), \(samples) samples"
    estimate.bytes = AverageInverse<S>.bytes(for: site, samples: samples)
    return estimate.adding(bytes: site.windowBytes(samples))
  }
}

final class AverageInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let decay: Double
  private let workspace: BlockWorkspace
  /// Σ_t β^t (Σ_s ν_i x̃x̃ᵀ)_t and Σ_t β^t n_t.
  private var average: BlockBatch<Scalar>
  private var samples = 0.0
  private let factors: NeuronFactors<Scalar>

  init(for site: CurvatureSite<Scalar>, decay: Double, samples: Int) throws(FisherError) {
    (self.site, self.decay) = (site, decay)
    let (m, d) = (site.neurons, site.order)
    average = try BlockBatch(count: m, order: d, what: "\(site.name): average of \(m) blocks of order \(d)")
    factors = try NeuronFactors(for: site, order: d, samples: 1, isInverse: false)
    workspace = try average.makeWorkspace(samples: samples)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("average", &average)
    try visitor.visit("samples", &samples)
    try visitor.child("factors", factors)
    visitor.scratch("work", bytes: workspace.bytes)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    sum(
      ofBytes: site.blockBytes(order: site.order),
      NeuronFactors<Scalar>.bytes(for: site, order: site.order, samples: 1),
      BlockWorkspace.bytes(Scalar.self, count: site.neurons, order: site.order, samples: samples))
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    // (what went beyond all numbers would stay for good: the average begins anew)
    if !average.hasFiniteDiagonals { samples = 0 }
    average.accumulateGram(
      inputs: inputs, nu: weights, alpha: 1, beta: samples > 0 ? decay : 0, workspace: workspace)
    samples = decay * samples + Double(inputs.rows)
    try factors.refresh(average: average, scale: 1 / samples)
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { factors.precondition(&vectors) }
}

extension BlockBatch {
  /// Whether all blocks are numbers, as far as their diagonals say: no element off it is larger than both of its own.
  var hasFiniteDiagonals: Bool {
    for block in 0..<count { for i in 0..<order where !self[block, i, i].isFinite { return false } }
    return true
  }
}

extension NeuronFactors {
  /// Makes all blocks anew from sums of them.
  func refresh(average sum: borrowing BlockBatch<Scalar>, scale: Double) throws(FisherError) {
    try refresh(
      form: { made, range, _ in made.copy(from: sum, blocks: range, scale: scale) },
      formOne: { (block, neuron) throws(FisherError) in
        block.copyBlock(0, from: sum, neuron)
        block.scale(by: scale)
      })
  }
}
