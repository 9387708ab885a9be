/// The exact relative Fisher matrix of every neuron, Ĝ_i = (1/n) Σ ν_i x̃x̃ᵀ (section 2.6), over the window of the
/// samples seen since the last refresh. A softmax layer has one matrix for all its classes (eq 10), unless that takes
/// more than 256 MB, coupled neurons of one's own one for all of them, and a layer that is paired with the one above it
/// their common matrix (eq 12).
///
/// Memory: m blocks of d(d+1)/2 elements and the window, of 8192 samples unless it is told otherwise: of more, a uniform
/// sample. Cost of a refresh with n samples: m n d(d+1) + m d³/3 flops; of a step: 2md².
public struct ExactMetric: Metric {
  /// The most samples that a refresh is made of.
  public let windowSamples: Int

  public init(windowSamples: Int = 8192) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "exact" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    if let layers = site.twoLayers {
      return try TwoLayerInverse<S>.curvature(for: site, layers: layers)
    }
    let inverse = try Self.inverse(
      for: site, order: site.order, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples))
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site), inverse)
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    if let layers = site.twoLayers {
      return TwoLayerInverse<S>.estimate(for: site, layers: layers)
    }
    var estimate = site.exactEstimate(order: site.order, samples: samples)
    estimate.summary = "exact, \(estimate.summary), \(samples) samples"
    return estimate.adding(bytes: site.windowBytes(samples))
  }

  /// The exact inverse for inputs of some order: those of the layer, or what they were projected to.
  static func inverse<S: KernelScalar>(
    for site: CurvatureSite<S>, order: Int, samples: Int
  ) throws(FisherError) -> any WindowInverse<S> {
    switch site.subsystem.form {
    // With a constant ν all neurons have the same block, and one factor serves them all.
    case .shared(let nu): return try SharedBlockInverse<S>(for: site, order: order, nu: nu)
    case .softmax where SoftmaxInverse<S>.fits(site, order: order):
      return try SoftmaxInverse<S>(for: site, order: order, samples: samples)
    case .neurons, .softmax: return try NeuronBlocksInverse<S>(for: site, order: order, samples: samples)
    case .coupled(let coupling):
      return try CoupledInverse<S>(for: site, coupling: coupling, order: order, samples: samples)
    case .channels, .windows, .twoLayers: throw site.noWay(for: "exact")
    }
  }
}
