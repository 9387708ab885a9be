/// Exact blocks where the inputs are, a number for each neuron elsewhere.
///
/// U spans the r leading eigendirections of the window's second moment (1/n) X̃ᵀX̃, one subspace for all neurons of a
/// layer. Inside it a layer keeps its exact matrix, of the inputs projected to r numbers: a block UᵀĜ_iU for each neuron,
/// or one matrix for all classes of a softmax (eq 10). Outside it, where inputs hardly go, neuron i has the number
/// c_i = λ + ν̄_i ē, with its mean ν and the mean ē of the eigenvalues left out:
///
///     δ_i = U(UᵀĜ_iU + λI)⁻¹Uᵀg_i + c_i⁻¹(g_i − UUᵀg_i)
///
/// With r = d it is the exact metric, which layers of fewer than r inputs get.
///
/// Memory: m blocks of r(r+1)/2 elements, five matrices (r,d) and the window. Cost of a refresh with n samples:
/// 6ndr + m n r(r+1) + m r³/3 flops; of a step: 4mdr + 2mr².
public struct ProjectedMetric: Metric {
  /// How the rank r is chosen.
  public enum Rank: Equatable, Sendable {
    case fixed(Int)
    /// At each refresh the smallest rank that keeps this share of the effective dimension Σ e_k/(e_k + λ/ν̄), with e_k the
    /// eigenvalues of the second moment and ν̄ the layer's mean ν, but no more than `atMost`.
    case share(Double, atMost: Int)

    var most: Int {
      switch self {
      case .fixed(let rank), .share(_, let rank): rank
      }
    }
  }

  public let rank: Rank
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(rank: Rank = .fixed(64), windowSamples: Int = 1000) {
    self.rank = rank
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) {
    try require(rank.most > 0, "rank", expected: "1 or more", found: rank.most)
    if case .share(let share, _) = rank {
      try require(share > 0 && share <= 1, "share of the rank", expected: "a number in (0, 1]", found: share)
    }
    try requireWindow(windowSamples)
  }

  public var name: String { "projected" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireSharedInputs(for: name)
    guard rank.most <= site.order, site.twoLayers == nil else {
      return try ExactMetric(windowSamples: windowSamples).makeCurvature(for: site)
    }
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      ProjectedInverse<S>(
        for: site, rank: rank, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    guard rank.most <= site.order, site.twoLayers == nil else {
      return ExactMetric(windowSamples: windowSamples).estimate(for: site)
    }
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let r = rank.most
    var estimate = site.exactEstimate(order: r, samples: samples)
    estimate.summary = "projected, rank \(r) of \(site.order), \(estimate.summary), \(samples) samples"
    let (m, d, n, rr) = (Double(site.neurons), Double(site.order), Double(samples), Double(r))
    let size = Double(MemoryLayout<S>.stride)
    return
      estimate
      .adding(bytes: site.windowBytes(samples))
      .adding(
        bytes: ProjectedInverse<S>.bytes(for: site, rank: r, samples: samples),
        refresh: Work(products: 6 * n * d * rr + 6 * d * rr * rr, bytes: 3 * n * d * size, calls: 8),
        step: Work(products: 4 * m * d * rr, bytes: (2 * d * rr + 3 * m * d) * size, calls: 4))
  }
}
