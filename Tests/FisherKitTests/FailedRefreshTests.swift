import FisherKit
import FisherKitTestSupport
import Testing

/// What a refresh that failed leaves behind.
@Suite struct FailedRefreshTests {
  private func site(
    d: Int, m: Int, damping: Double, subsystem: any Subsystem = NonlinearLayer(Tanh())
  ) -> CurvatureSite<Double> {
    CurvatureSite<Double>(
      Site(name: "layer", neurons: m, order: d, subsystem: subsystem), batchSize: 8,
      refreshInterval: 2, damping: .absolute(damping))
  }

  /// A direction by the matrix of a mini-batch.
  private func refreshed(
    _ curvature: any Curvature<Double>, d: Int, m: Int, n: Int, _ generator: inout SplitMix64
  ) throws -> [Double] {
    try curvature.observe(
      inputs: .make(generator.samples(n: n, d: d), rows: n, columns: d),
      preactivations: .make(generator.normal(n * m), rows: n, columns: m))
    try curvature.refresh()
    var direction = try Matrix<Double>.make(generator.normal(m * d), rows: m, columns: d)
    try curvature.precondition(&direction)
    return direction.numbers
  }

  /// A window that is full of samples without information goes down the ladder, and does not stay for ever: the next
  /// refresh is of the next samples.
  @Test(
    arguments: [
      ExactMetric(windowSamples: 8), ProjectedMetric(rank: .fixed(3), windowSamples: 8),
      ProjectedMetric(rank: .fixed(2), windowSamples: 8), DiagonalMetric(windowSamples: 8),
      IterativeMetric(windowSamples: 8), SharedMetric(windowSamples: 8),
    ] as [any Metric])
  func aFullWindowIsBegunAnew(metric: any Metric) throws {
    let (d, m, n) = (3, 2, 8)
    let site = site(d: d, m: m, damping: 0)
    let curvature = try metric.makeCurvature(for: site)
    var generator = SplitMix64(seed: 81)
    let zeros = [Double](repeating: 0, count: n * d)
    try curvature.observe(
      inputs: .make(zeros, rows: n, columns: d), preactivations: .make(generator.normal(n * m), rows: n, columns: m))
    try curvature.refresh()
    let incidents = site.takeIncidents()
    let isDiagonal = metric is DiagonalMetric || metric is IterativeMetric
    #expect(!incidents.isEmpty && incidents.allSatisfy { $0.remedy == (isDiagonal ? .plainGradient : .raisedDamping) })
    #expect(metric is SharedMetric ? incidents.map(\.neuron) == [nil] : incidents.compactMap(\.neuron) == [0, 1])
    var direction = try Matrix<Double>.make([1, 2, 3, 4, 5, 6], rows: m, columns: d)
    try curvature.precondition(&direction)
    let isFinite = direction.isFinite
    #expect(isFinite, "\(metric)")

    var same = generator
    let found = try refreshed(curvature, d: d, m: m, n: n, &generator)
    let anew = try refreshed(try metric.makeCurvature(for: site), d: d, m: m, n: n, &same)
    #expect(site.takeIncidents().isEmpty)
    // (a subspace of fewer directions than inputs remembers where it was)
    if case .fixed(2)? = (metric as? ProjectedMetric)?.rank { return }
    #expect(Comparison.normwise(found, anew, tolerance: 1e-9).isAllowed, "\(metric)")
  }

  /// With as many directions as inputs nothing is outside, and needs no damping.
  @Test func wholeSpaceWithoutDamping() throws {
    let (d, m, n) = (3, 2, 8)
    var directions: [[Double]] = []
    for metric in [ExactMetric(), ProjectedMetric(rank: .fixed(d))] as [any Metric] {
      let curvature = try metric.makeCurvature(for: site(d: d, m: m, damping: 0))
      var generator = SplitMix64(seed: 82)
      directions.append(try refreshed(curvature, d: d, m: m, n: n, &generator))
    }
    #expect(Comparison.normwise(directions[1], directions[0], tolerance: 1e-9).isAllowed)
  }

  /// The smallest sizes, a class alone among them: a step or an error, never a trap; NaN only where there was one.
  @Test(
    arguments: [
      ExactMetric(), ProjectedMetric(rank: .fixed(1)), ProjectedMetric(rank: .share(0.9, atMost: 4)), DiagonalMetric(),
      IterativeMetric(), SharedMetric(), KernelMetric(), PaperMetric(),
    ] as [any Metric])
  func smallAndNotFinite(metric: any Metric) throws {
    for (d, m, n) in [(1, 1, 1), (1, 3, 2), (5, 1, 1), (4, 2, 1)] {
      for subsystem in [NonlinearLayer(Tanh()), SoftmaxLayer(), LinearLayer()] as [any Subsystem] {
        for value in [1, 0, .nan, .infinity, 1e200] as [Double] {
          let curvature = try metric.makeCurvature(
            for: site(d: d, m: m, damping: 0.01, subsystem: subsystem))
          let x = [Double](repeating: value, count: n * d)
          do {
            try curvature.observe(
              inputs: .make(x, rows: n, columns: d),
              preactivations: .make([Double](repeating: 0.3, count: n * m), rows: n, columns: m))
            _ = try curvature.refresh()
          } catch is FisherError { continue }
          for gradient in [1, .nan, .infinity] as [Double] {
            var v = try Matrix<Double>.make([Double](repeating: gradient, count: m * d), rows: m, columns: d)
            try curvature.precondition(&v)
            let isFinite = v.isFinite
            if gradient.isFinite && value.isFinite && value.magnitude < 2 {
              #expect(isFinite, "\(metric), \(subsystem), inputs \(value)")
            }
            // (RNGD looks at every direction before a weight is touched)
            if !gradient.isFinite { #expect(!isFinite, "\(metric), \(subsystem): \(gradient) was hidden") }
          }
        }
      }
    }
  }

  /// Sizes that cannot be addressed are errors.
  @Test func windowsBeyondMemory() throws {
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 3, order: 100, subsystem: SoftmaxLayer()), batchSize: 1 << 40,
      refreshInterval: 1 << 20, damping: 0.01)
    let costs = MachineCosts(products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)
    for metric in [
      ExactMetric(windowSamples: .max), ProjectedMetric(windowSamples: .max), DiagonalMetric(windowSamples: .max),
      IterativeMetric(windowSamples: .max), SharedMetric(windowSamples: .max),
      try AutoMetric(memoryCap: 1, rank: .max, windowSamples: .max, costs: costs),
    ] as [any Metric] {
      #expect(throws: FisherError.self, "\(metric)") { _ = try metric.makeCurvature(for: site) }
    }
    // (a softmax's window is cut to what its system may be)
    let kernel = try KernelMetric(windowSamples: .max).makeCurvature(for: site)
    #expect(kernel.bytes < 1 << 30, "\(kernel.bytes)")
  }

  /// Layers whose refresh had succeeded are not done again while others are waited for.
  @Test func onlyWhatFailedIsRefreshedAgain() throws {
    let data = try SyntheticData.make(training: 100, validation: 20, test: 20, seed: 1)
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 4, data.classes], activation: Tanh(), batchCapacity: 20)
    let count = Count()
    let trainer = try Trainer(
      model: model,
      optimizer: try RNGD(
        metric: FailsOnce(count: count), learningRate: 0.01, schedule: RefreshSchedule(startsEarly: false)), data: data,
      batchSize: 20)
    #expect(throws: FisherError.self) { try trainer.run(epochs: 1) }
    try trainer.run(epochs: 1)
    #expect(count.refreshes == [1, 2])
  }

  private final class Count: @unchecked Sendable { var refreshes = [0, 0] }

  private struct FailsOnce: Metric {
    let name = "fails once"
    let count: Count

    func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
      FailsOnceCurvature<S>(index: site.number, count: count)
    }
  }

  private final class FailsOnceCurvature<Scalar: KernelScalar>: Curvature {
    let (index, count): (Int, Count)
    let bytes = 0
    init(index: Int, count: Count) { (self.index, self.count) = (index, count) }
    func observe(_ observed: borrowing Observation<Scalar>) {}
    func precondition(_ gradient: inout Matrix<Scalar>) {}
    func refresh() throws(FisherError) {
      count.refreshes[index] += 1
      if index == 1 && count.refreshes[index] == 1 {
        throw .invalidArgument(what: "test", expected: "a second time", found: "the first")
      }
    }
  }
}
