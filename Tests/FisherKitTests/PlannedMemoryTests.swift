import FisherKit
import FisherKitTestSupport
import Testing

/// What a curvature is said to hold before it is made is what it holds, to the byte. Tests/Memory compares it with what the
/// process comes to.
@Suite struct PlannedMemoryTests {
  private let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)

  private func metrics() throws -> [any Metric] {
    [
      ExactMetric(), ExactMetric(windowSamples: 700), ProjectedMetric(rank: .fixed(20), windowSamples: 700),
      ProjectedMetric(rank: .share(0.9, atMost: 20)), SharedMetric(windowSamples: 700), DiagonalMetric(),
      KroneckerMetric(windowSamples: 700), QuasiDiagonalMetric(), IterativeMetric(windowSamples: 700), KernelMetric(),
      KernelMetric(windowSamples: 33), AverageMetric(),
      PaperMetric(), try AutoMetric(memoryCap: 1 << 30, costs: costs),
      try AutoMetric(memoryCap: 400_000, rank: 16, costs: costs),
    ]
  }

  private func site<S: KernelScalar>(
    _: S.Type, d: Int, m: Int, _ subsystem: any Subsystem, refresh: Int = 20, isSpread: Bool = false,
    positions: Int = 1, neuronsAbove: Int? = nil
  ) -> CurvatureSite<S> {
    CurvatureSite<S>(
      Site(
        name: "layer", neurons: m, order: d, subsystem: subsystem, positions: positions, neuronsAbove: neuronsAbove),
      batchSize: 50, refreshInterval: refresh, damping: 0.01, isSpread: isSpread)
  }

  private func check<S: KernelScalar>(
    _ metric: any Metric, _ site: CurvatureSite<S>, isInside: Bool = true
  ) throws {
    let what = "\(metric) of \(S.self), \(site.subsystem) (\(site.neurons), \(site.order)), spread \(site.isSpread)"
    let estimate = metric.estimate(for: site)
    let curvature: any Curvature<S>
    do {
      curvature = try metric.makeCurvature(for: site, isInside: isInside)
    } catch FisherError.exceedsMemoryCap(_, let bytes, let cap, _) {
      // (not even diagonals, by the cap that is given)
      #expect(bytes > cap, "\(what)")
      return
    }
    #expect(curvature.bytes == curvature.estimate.bytes && curvature.bytes > 0, "\(what)")
    if metric.name != "auto" && !(isInside && metric.name == "paper") {
      #expect(curvature.estimate == estimate, "\(what)")
    }
    #expect(estimate.refresh.flops > 0 && estimate.step.bytes > 0, "\(what)")
  }

  @Test(arguments: [false, true]) func layers(isSpread: Bool) throws {
    for metric in try metrics() {
      for (d, m) in [(5, 3), (65, 17), (130, 40), (21, 10), (785, 4)] {
        for subsystem: any Subsystem in [NonlinearLayer(Tanh()), SoftmaxLayer(), LinearLayer()] {
          for isInside in [false, true] {
            try check(
              metric, site(Float.self, d: d, m: m, subsystem, isSpread: isSpread), isInside: isInside)
          }
          try check(metric, site(Double.self, d: d, m: m, subsystem, refresh: 3, isSpread: isSpread))
          try check(metric, site(Float.self, d: d, m: m, subsystem, refresh: 2, isSpread: isSpread, positions: 7))
        }
      }
    }
  }

  /// Rows of all positions, in the window and in whatever else there is one of for each row: what a metric plans for 50
  /// samples of 6 positions is what it plans for 300 samples.
  @Test func positions() throws {
    for metric in try metrics() {
      for subsystem: any Subsystem in [NonlinearLayer(Tanh()), SoftmaxLayer(), LinearLayer()] {
        let tokens = site(Float.self, d: 21, m: 10, subsystem, refresh: 2, positions: 6)
        var rows = site(Float.self, d: 21, m: 10, subsystem, refresh: 2)
        rows.batchSize = 300
        #expect(metric.estimate(for: tokens) == metric.estimate(for: rows), "\(metric), \(subsystem)")
        let curvatures = (try? metric.makeCurvature(for: tokens), try? metric.makeCurvature(for: rows))
        #expect(curvatures.0?.bytes == curvatures.1?.bytes, "\(metric), \(subsystem)")
      }
    }
  }

  /// Beyond what is kept twice, and beyond what is held as one matrix of all classes.
  @Test func largeLayers() throws {
    try check(ExactMetric(windowSamples: 100), site(Float.self, d: 500, m: 80, NonlinearLayer(Tanh())))
    try check(SharedMetric(windowSamples: 100), site(Float.self, d: 3000, m: 2, NonlinearLayer(Tanh())))
    try check(ExactMetric(windowSamples: 100), site(Float.self, d: 420, m: 20, SoftmaxLayer()))
    try check(PaperMetric(), site(Float.self, d: 500, m: 80, NonlinearLayer(Tanh())))
  }

  /// A factor that turned out larger than planned ends a debug build.
  @Test(arguments: [(6, 5, 4), (40, 30, 10), (65, 70, 30)], [true, false])
  func pairs(sizes: (d: Int, m: Int, above: Int), isSoftmax: Bool) throws {
    let (d, m, above) = sizes
    var generator = SplitMix64(seed: 5)
    let layers = TwoLayers(hidden: Tanh(), outer: isSoftmax ? SoftmaxLayer() : NonlinearLayer(Sigm()))
    let weights = try Matrix<Float>.make(generator.normal(above * (m + 1)), rows: above, columns: m + 1)
    for metric: any Metric in [ExactMetric(), KernelMetric(), ProjectedMetric(rank: .fixed(4))] {
      let layer = site(Float.self, d: d, m: m, layers, refresh: 4, neuronsAbove: above)
      try check(metric, layer)
      let curvature = try metric.makeCurvature(for: layer)
      for _ in 1...4 {
        try Observation<Float>.with(
          inputs: .make(generator.samples(n: 50, d: d), rows: 50, columns: d),
          preactivations: .make(generator.normal(50 * m), rows: 50, columns: m), weightsAbove: weights,
          preactivationsAbove: .make(generator.normal(50 * above), rows: 50, columns: above)
        ) { (observed) throws(FisherError) in try curvature.observe(observed) }
        try curvature.refresh()
      }
      #expect(curvature.bytes == curvature.estimate.bytes)
    }
  }

  /// The system of a softmax stays of an order that fits, and the plan says what the window became.
  @Test func kernelOfManyClasses() throws {
    for (m, samples) in [(10, 100), (60, 69), (600, 6), (4097, 1)] {
      let layer = site(Float.self, d: 9, m: m, SoftmaxLayer())
      let estimate = KernelMetric().estimate(for: layer)
      #expect(estimate.summary.contains("order \(samples * (m - 1)), \(samples) samples"), "\(estimate.summary)")
      #expect(estimate.summary.contains("instead of 100") == (samples < 100), "\(estimate.summary)")
      #expect(estimate.bytes < 200 << 20, "\(m) classes: \(estimate.bytes)")
    }
    let layer = site(Float.self, d: 9, m: 2_000_000, SoftmaxLayer())
    let refusal = failure(of: { _ = try KernelMetric().makeCurvature(for: layer) })
    guard case .exceedsMemoryCap(let what, let bytes, let cap, _)? = refusal as? FisherError else {
      Issue.record("found \(String(describing: refusal))")
      return
    }
    #expect(what.hasPrefix("layer: kernel, one softmax system of order 1999999") && bytes > cap)
  }

  /// The blocks of batch normalisation count against the cap for all layers.
  @Test func capWithBatchNormalization() throws {
    let model = try Sequential<Float>.perceptron(
      shape: [30, 20, 5], activation: Tanh(), batchNormalization: BatchNormalizationOptions(hasBlocks: true),
      batchCapacity: 50)
    func prepare(cap: Int) throws -> [LayerPlan] {
      let metric = try AutoMetric(memoryCap: cap, rank: 64, windowSamples: 100, costs: costs)
      let optimizer = try RNGD<Float>(metric: metric, learningRate: 0.01)
      try optimizer.prepare(for: model, batchSize: 50)
      return optimizer.plan
    }
    let plan = try prepare(cap: 1 << 30)
    let all = plan.reduce(0) { $0 + $1.bytes }
    #expect(plan.count == 3 && plan.allSatisfy { $0.bytes == $0.estimate.bytes })
    #expect(try prepare(cap: all) == plan)
    #expect(try prepare(cap: all - 1).reduce(0) { $0 + $1.bytes } < all)
  }
}
