/// One d×d matrix Ĝ = (1/n) X̃ᵀX̃ for all neurons of a layer, as if every layer were linear (ν ≡ 1), over the window of
/// the samples seen since the last refresh.
///
/// Memory: one d×d matrix and the window, of 8192 samples unless it is told otherwise: of more, a uniform sample. Cost of a
/// refresh with n samples: n d² + d³/3 flops; of a step: 2md².
public struct SharedMetric: Metric {
  /// The most samples that a refresh is made of.
  public let windowSamples: Int

  public init(windowSamples: Int = 8192) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "shared" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      SharedBlockInverse<S>(for: site, order: site.order, nu: 1))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    var linear = site
    linear.site.subsystem = LinearLayer()
    var estimate = linear.exactEstimate(order: site.order, samples: samples)
    estimate.summary = "shared, \(estimate.summary), \(samples) samples"
    return estimate.adding(bytes: site.windowBytes(samples))
  }
}
