/// The exact matrix of two layers (eq 12) over a window of samples, with the outer weights as they are at the refresh.
///
/// A window of few samples stands in where the matrix is too large to be formed. The solve is then the low-rank one, exact
/// for that window.
///
/// Memory: (md)² elements up to order 4096, else (nk)² with nk ≤ 4096. A refresh allocates it anew. Cost of a refresh with n
/// samples: n m(m+1)/2 d(d+1) + (md)³/3 flops, or (nk)²m + (nk)³/3; of a step: 2(md)², or 12nmd + 6(nk)².
final class TwoLayerInverse<Scalar: KernelScalar>: WindowInverse {
  let site: CurvatureSite<Scalar>
  let layers: TwoLayers
  private let size: PairWindow
  /// What the next refresh is made of, and what the last one has made.
  private var block: SampledBlock<Scalar>?
  var inverse: (any DampedInverse<Scalar>)?

  /// The largest order that is factored.
  static var orderLimit: Int { 4096 }

  /// How many samples the window takes, and whether the matrix itself is factored.
  private struct PairWindow {
    let samples: Int
    let isDense: Bool

    init(for site: CurvatureSite<Scalar>) {
      let (size, overflow) = site.neurons.multipliedReportingOverflow(by: site.order)
      let planned = SampleWindow<Scalar>.capacity(for: site, limit: 8192)
      isDense = !overflow && size <= orderLimit
      samples = isDense ? planned : min(planned, max(1, orderLimit / max(1, site.site.neuronsAbove ?? 1)))
    }
  }

  static func curvature(
    for site: CurvatureSite<Scalar>, layers: TwoLayers
  ) throws(FisherError) -> any Curvature<Scalar> {
    try site.site.validate()
    return try WindowedCurvature(
      for: site, windowLimit: PairWindow(for: site).samples,
      estimate: estimate(for: site, layers: layers),
      TwoLayerInverse(for: site, layers: layers))
  }

  private init(for site: CurvatureSite<Scalar>, layers: TwoLayers) {
    (self.site, self.layers) = (site, layers)
    size = PairWindow(for: site)
  }

  static func estimate(for site: CurvatureSite<Scalar>, layers: TwoLayers) -> CurvatureEstimate {
    let above = site.site.neuronsAbove ?? 1
    let (m, d, outputs) = (Double(site.neurons), Double(site.order), Double(above))
    let window = PairWindow(for: site)
    let (samples, isDense) = (window.samples, window.isDense)
    let n = Double(samples)
    let order = isDense ? site.neurons * site.order : samples * above
    let (k, held) = (Double(order), site.bytes(order, order))
    return CurvatureEstimate(
      summary: "two layers, one matrix of order \(order), \(samples) samples",
      bytes: sum(ofBytes: site.windowBytes(samples), refreshBytes(for: site, layers: layers, window)),
      refresh: Work(
        products: isDense ? 0 : k * k * m, grams: isDense ? n * m * (m + 1) / 2 * d * (d + 1) : 0,
        factors: k * k * k / 3, bytes: 3 * Double(held), calls: 4 * m),
      step: Work(
        products: isDense ? 0 : 12 * n * m * (d + outputs), solves: isDense ? 2 * k * k : 6 * k * k,
        bytes: Double(held), calls: 12))
  }

  /// The inverse with the most that there is beside it while it is made, of a full window or, by the low-rank way, of one
  /// that is not full yet.
  private static func refreshBytes(
    for site: CurvatureSite<Scalar>, layers: TwoLayers, _ window: PairWindow
  ) -> Int {
    let outer = (neurons: site.site.neuronsAbove ?? 1, isSoftmax: layers.outer.isSoftmax)
    func factor(samples: Int) -> CoupledFactorBytes<Scalar> {
      CoupledFactorBytes(site: site, samples: samples, outer: outer)
    }
    guard window.isDense else { return factor(samples: window.samples).makingLowRank }
    let few = min(window.samples, max(1, orderLimit / 4 / max(1, outer.neurons - (outer.isSoftmax ? 1 : 0))))
    return max(factor(samples: window.samples).makingDense, factor(samples: few).makingLowRank)
  }

  /// The most that a refresh is given.
  var samples: Int { size.samples }

  var bytes: Int { Self.refreshBytes(for: site, layers: layers, size) }

  /// f'(z)
  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    weights.setToSlopes(of: layers.hidden, at: z)
  }

  func note(_ window: borrowing SampleWindow<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    // (the last one goes first: both together would be more than was planned)
    (block, inverse) = (nil, nil)
    var slopes = try Matrix<Scalar>(rows: weights.rows, columns: weights.columns, what: "\(site.name): slopes")
    slopes.copy(from: weights)
    block = try SampledBlock<Scalar>(
      inputs: window.inputs,
      covariance: TwoLayerCovariance<Scalar>(
        slopes: slopes, outerWeights: window.weightsAbove,
        outputs: try layers.outer.outputCovariance(preactivations: window.preactivationsAbove)))
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    guard let block else { fatalError("\(site.name): a refresh without its window") }
    defer { self.block = nil }
    let isSmall = block.rankBound < site.neurons * site.order
    let isLowRank = !size.isDense || isSmall && block.rankBound <= Self.orderLimit / 4
    inverse = try site.factor(trace: try block.trace(), order: site.neurons * site.order) {
      (lambda) throws(FisherError) in
      if isLowRank && lambda > 0 {
        try LowRankFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
      } else {
        try DenseFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
      }
    }
    assert(inverse.map { $0.bytes <= bytes } ?? true, "\(site.name): a factor larger than planned")
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    guard let inverse else {
      fatalError("\(site.name): the curvature was not refreshed, or its factorisation failed")
    }
    try inverse.solve(&gradient)
  }
}
