/// The exact matrices of a window of fewer samples than inputs, in kernel form (Woodbury): systems of order n instead of
/// d, from the inner products of the samples, which all neurons of a layer share.
///
///     (Ĝ_i + λI)⁻¹g = (g − S_iᵀ(λI + S_iS_iᵀ)⁻¹S_ig)/λ,  S_i = diag(√(ν_i/n)) X̃
///
/// with one step of refinement, which takes out what the division by λ loses. A softmax layer has one system of order
/// n(m − 1) through the square root of diag η − ηηᵀ. The samples are a uniform sample of the refresh interval.
///
/// Memory: m blocks of n(n+1)/2 elements, the window twice, and for a softmax (n(m−1))². Cost of a refresh: 2n²d + m n³/3
/// flops; of a step: 8mnd + 4mn².
public struct KernelMetric: Metric {
  /// n: the most samples that a refresh is made of.
  public let windowSamples: Int

  public init(windowSamples: Int = 100) {
    precondition(windowSamples > 0, "expected a window of one sample at least")
    self.windowSamples = windowSamples
  }

  public var name: String { "kernel" }
  public var takesPairs: Bool { true }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    if let pair = site.pair { return try TwoLayerCurvature<S>(for: site, pair: pair) }
    guard site.damping.amount > 0 else {
      throw .invalidArgument(
        what: "damping", expected: "a positive number with the kernel metric", found: "\(site.damping.amount)")
    }
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      site.subsystem is SoftmaxLayer
        ? SoftmaxKernelInverse<S>(for: site) : KernelInverse<S>(for: site, samples: samples))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    if let pair = site.pair { return TwoLayerCurvature<S>.estimate(for: site, pair: pair) }
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let (m, d, n) = (Double(site.neurons), Double(site.order), Double(samples))
    let window = CurvatureEstimate(
      summary: "kernel, \(samples) samples", bytes: site.windowBytes(samples)
    ).adding(bytes: site.bytes(samples, site.order)).adding(bytes: site.bytes(samples, site.neurons))
    if site.subsystem is SoftmaxLayer {
      let (order, overflow) = samples.multipliedReportingOverflow(by: site.neurons - 1)
      let (k, held) = (n * (m - 1), overflow ? .max : site.bytes(order, order))
      return window.adding(
        bytes: held,
        refresh: Work(products: 2 * k * k * m, factors: k * k * k / 3, bytes: 3 * Double(held), calls: 4),
        step: Work(products: 12 * n * m * d, solves: 6 * k * k, bytes: 3 * Double(held), calls: 12))
    }
    let held = (try? BlockBatch<S>.bytes(count: site.neurons, order: samples)) ?? .max
    return window.adding(
      bytes: held,
      refresh: Work(products: 2 * n * n * d, factors: m * n * n * n / 3, bytes: 3 * Double(held), calls: 3),
      step: Work(
        products: 8 * m * n * d, solves: 4 * m * n * n, bytes: 4 * Double(held), calls: 8))
  }
}

/// One system of order n(m − 1) for all classes. A refresh allocates it anew.
final class SoftmaxKernelInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private var factor: (any DampedInverse<Scalar>)?

  init(for site: CurvatureSite<Scalar>) { self.site = site }

  var bytes: Int { factor?.bytes ?? 0 }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.setToSoftmax(of: z)
  }

  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { weights.addVariances(to: &sums) }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    factor = nil
    var eta = try Matrix<Scalar>(rows: weights.rows, columns: weights.columns, what: "\(site.name): probabilities")
    eta.copy(from: weights)
    let block = try SampledBlock<Scalar>(inputs: inputs, covariance: SoftmaxCovariance<Scalar>(eta: eta))
    factor = try site.factor(trace: try block.trace(), order: site.neurons * site.order) { (lambda) throws(FisherError) in
      // (it divides by λ, and classes that are certain leave none)
      guard lambda >= Ladder.leastDivisor(Scalar.self) else { throw site.notFactored(lambda) }
      return try LowRankFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
    }
  }

  func precondition(_ vectors: inout Matrix<Scalar>) throws(FisherError) { try factor?.solve(&vectors) }
}
