import FisherKit
import FisherKitTestSupport
import Testing

/// What the planner chooses, with the costs of a machine that was made up.
@Suite struct AutoMetricTests {
  private let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)

  private func site(
    _ name: String = "layer", d: Int, m: Int, subsystem: any Subsystem = NonlinearLayer(Tanh()), batch: Int = 50,
    refresh: Int = 100
  ) -> CurvatureSite<Float> {
    CurvatureSite<Float>(
      Site(name: name, neurons: m, order: d, subsystem: subsystem), batchSize: batch,
      refreshInterval: refresh, damping: 0.005)
  }

  private func summary(_ site: CurvatureSite<Float>, cap: Int = 1 << 30, rank: Int = 48) throws -> String {
    try AutoMetric(memoryCap: cap, rank: rank, windowSamples: 500, costs: costs).makeCurvature(for: site).estimate
      .summary
  }

  @Test func choices() throws {
    // The first layer of an image network, a hidden layer, the softmax; a layer of two inputs; one neuron.
    #expect(try summary(site(d: 785, m: 80)) == "projected, rank 48 of 785, 80 blocks of order 48, 500 samples")
    #expect(try summary(site(d: 81, m: 80)).hasPrefix("projected, rank 48 of 81"))
    #expect(
      try summary(site(d: 785, m: 10, subsystem: SoftmaxLayer()))
        == "projected, rank 32 of 785, one softmax matrix of order 320, 500 samples")
    #expect(try summary(site(d: 2, m: 80)) == "exact, 80 blocks of order 2, 500 samples")
    #expect(try summary(site(d: 48, m: 80)) == "exact, 80 blocks of order 48, 500 samples")
    #expect(try summary(site(d: 785, m: 1)).hasPrefix("projected, rank 48"))
    #expect(try summary(site(d: 81, m: 80), rank: 200) == "exact, 80 blocks of order 81, 500 samples")
    // Fewer samples than asked for between two refreshes.
    #expect(try summary(site(d: 48, m: 3, batch: 8, refresh: 10)).hasSuffix("80 samples"))
    // One factor serves a linear layer's neurons: cheap to have exactly, where a refresh is seldom.
    #expect(
      try summary(site(d: 60, m: 4, subsystem: LinearLayer(), refresh: 10_000)).hasPrefix(
        "exact, one block of order 60"))
  }

  @Test func refreshesEveryTenThousandSamples() throws {
    let metric = try AutoMetric(costs: costs)
    #expect([1, 50, 200, 20_000].map { metric.refreshInterval(batchSize: $0) } == [500, 200, 50, 1])
    let model = try Sequential<Float>.perceptron(shape: [5, 4, 3], activation: Tanh(), batchCapacity: 50)
    let optimizer = try RNGD<Float>(metric: metric, learningRate: 0.01)
    try optimizer.prepare(for: model, batchSize: 50)
    #expect(optimizer.refreshInterval == 200)
    let exact = try RNGD<Float>(metric: ExactMetric(), learningRate: 0.01)
    try exact.prepare(for: model, batchSize: 50)
    #expect(exact.refreshInterval == 100)
  }

  /// d = 100,000: 48 directions of it and 500 samples take 270 MB; less is chosen where less is there.
  @Test func manyInputs() throws {
    let wide = site(d: 100_001, m: 4)
    #expect(AutoMetricTests.rank(try summary(wide)) == 48)
    #expect(AutoMetricTests.rank(try summary(wide, cap: 150 << 20)) == 24)
    #expect(try summary(wide, cap: 16 << 20).hasPrefix("diagonal"))
  }

  private static func rank(_ summary: String) -> Int? {
    summary.split(separator: " ").dropFirst(2).first.flatMap { Int($0) }
  }

  /// The cap holds for all layers together: from what is wanted through less to diagonals, and in the end to a refusal.
  @Test func memoryCap() throws {
    let sites = [
      site("layer 1", d: 785, m: 80), site("layer 2", d: 81, m: 80),
      site("layer 3", d: 81, m: 10, subsystem: SoftmaxLayer()),
    ]
    var last = Int.max
    var kinds: [String] = []
    for cap in [100_000_000, 3_000_000, 1_500_000, 400_000] {
      let curvatures = try AutoMetric(memoryCap: cap, rank: 48, windowSamples: 500, costs: costs).makeCurvatures(
        for: sites)
      let bytes = curvatures.reduce(0) { $0 + $1.estimate.bytes }
      #expect(bytes <= cap && bytes < last, "cap \(cap): \(bytes)")
      last = bytes
      kinds.append(curvatures[0].estimate.summary)
    }
    #expect(kinds[0].hasPrefix("projected, rank 48") && kinds[3].hasPrefix("diagonal"), "\(kinds)")
    let refusal = failure(of: { _ = try AutoMetric(memoryCap: 1000, costs: costs).makeCurvatures(for: sites) })
    guard case .exceedsMemoryCap(let what, let bytes, 1000, let instead)? = refusal as? FisherError else {
      Issue.record("found \(String(describing: refusal))")
      return
    }
    #expect(what.contains("3 layers") && bytes > 1000 && instead.contains("first-order"))
  }

  /// The larger of arithmetic and memory, and the calls.
  @Test func costsOfWork() {
    let work = Work(products: 1e9, grams: 2e9, factors: 1e9, solves: 3e8, bytes: 9e8, calls: 5)
    #expect(abs(costs.seconds(work) - (0.01 + 0.02 + 0.02 + 0.01 + 5e-6)) < 1e-12)
    #expect(abs(costs.seconds(Work(products: 1e9, bytes: 3e9)) - 0.1) < 1e-12)
    #expect(work.flops == 4.3e9)
  }

  @Test func measuredCosts() throws {
    let measured = try MachineCosts.measure(Float.self)
    #expect(measured.isValid)
    // (any machine does more than 10 MFLOP/s and less than 10 PFLOP/s)
    for rate in [measured.products, measured.grams, measured.factors, measured.solves] {
      #expect(rate > 1e7 && rate < 1e16, "\(measured)")
    }
  }

  @Test func refusals() throws {
    for (what, body) in [
      ("memory cap", { try AutoMetric(memoryCap: 0, costs: costs) }),
      ("rank", { try AutoMetric(rank: 0, costs: costs) }),
      ("window samples", { try AutoMetric(windowSamples: 0, costs: costs) }),
      (
        "costs of the machine",
        {
          var bad = costs
          bad.grams = 0
          return try AutoMetric(costs: bad)
        }
      ),
    ] as [(String, () throws -> AutoMetric)] {
      guard case .invalidArgument(what, _, _)? = failure(of: { _ = try body() }) as? FisherError else {
        Issue.record("\(what) was not refused")
        continue
      }
    }
  }
}
