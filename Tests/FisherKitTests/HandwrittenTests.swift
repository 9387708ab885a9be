import FisherKit
import Foundation
import FisherKitTestSupport
import Testing

/// A residual network in plain arrays with a backward pass of its own, trained by a ``Preconditioner``: its weights are those
/// of the built-in layers under RNGD, step by step.
@Suite struct HandwrittenTests {
  private static let sizes = (inputs: 4, width: 5, classes: 3, samples: 8)
  private static let sites = [
    Site(name: "stem", neurons: 5, order: 5, subsystem: NonlinearLayer(Tanh())),
    Site(name: "block 1", neurons: 5, order: 6, subsystem: NonlinearLayer(Tanh())),
    Site(name: "block 2", neurons: 5, order: 6, subsystem: NonlinearLayer(Tanh())),
    Site(name: "top", neurons: 3, order: 6, subsystem: SoftmaxLayer()),
  ]

  /// h₀ = tanh(W₀x̃), h_k = h_{k−1} + tanh(W_kh̃_{k−1}) for k = 1, 2, and η = softmax(W₃h̃₂).
  private struct Network {
    /// Row by row, the bias last.
    var weights: [[Double]]
    var gradients: [[Double]]

    /// What fed each map (samples, d − 1), and its z (samples, m).
    var inputs: [[Double]] = []
    var preactivations: [[Double]] = []

    private static func affine(_ w: [Double], _ x: [Double], inputs d: Int, outputs m: Int) -> [Double] {
      (0..<x.count / d).flatMap { s in
        (0..<m).map { i in (0..<d).reduce(w[i * (d + 1) + d]) { $0 + w[i * (d + 1) + $1] * x[s * d + $1] } }
      }
    }

    /// ∂L/∂W = Σ_s δ_sx̃_sᵀ, and ∂L/∂x = δW.
    private static func back(
      _ delta: [Double], _ w: [Double], _ x: [Double], inputs d: Int, outputs m: Int
    ) -> (weights: [Double], inputs: [Double]) {
      let n = x.count / d
      let gradient = (0..<m * (d + 1)).map { k -> Double in
        let (i, j) = (k / (d + 1), k % (d + 1))
        return (0..<n).reduce(0) { $0 + delta[$1 * m + i] * (j < d ? x[$1 * d + j] : 1) }
      }
      let below = (0..<n * d).map { k -> Double in
        let (s, j) = (k / d, k % d)
        return (0..<m).reduce(0) { $0 + delta[s * m + $1] * w[$1 * (d + 1) + j] }
      }
      return (gradient, below)
    }

    /// Sets the gradients of the mean cross-entropy, and returns that.
    mutating func pass(_ x: [Double], labels: [Int32]) -> Double {
      let (d, width, classes, n) = (sizes.inputs, sizes.width, sizes.classes, sizes.samples)
      let z0 = Self.affine(weights[0], x, inputs: d, outputs: width)
      var h = [z0.map(tanh)]
      preactivations = [z0]
      for k in 1...2 {
        let z = Self.affine(weights[k], h[k - 1], inputs: width, outputs: width)
        preactivations.append(z)
        h.append(zip(h[k - 1], z).map { $0 + tanh($1) })
      }
      let logits = Self.affine(weights[3], h[2], inputs: width, outputs: classes)
      preactivations.append(logits)
      inputs = [x, h[0], h[1], h[2]]

      let eta = Reference.softmax(z: logits, n: n, m: classes).eta
      var loss = 0.0
      for s in 0..<n { loss -= log(eta[s * classes + Int(labels[s])]) / Double(n) }
      var delta = eta.indices.map {
        (eta[$0] - ($0 % classes == Int(labels[$0 / classes]) ? 1 : 0)) / Double(n)
      }
      var below: [Double]
      (gradients[3], below) = Self.back(delta, weights[3], h[2], inputs: width, outputs: classes)
      for k in [2, 1] {
        delta = zip(below, preactivations[k]).map { $0 * (1 - tanh($1) * tanh($1)) }
        let inside: [Double]
        (gradients[k], inside) = Self.back(delta, weights[k], h[k - 1], inputs: width, outputs: width)
        below = zip(below, inside).map(+)
      }
      delta = zip(below, preactivations[0]).map { $0 * (1 - tanh($1) * tanh($1)) }
      (gradients[0], _) = Self.back(delta, weights[0], x, inputs: d, outputs: width)
      return loss
    }
  }

  private static let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)

  static let metrics: [any Metric] = [
    ExactMetric(), ProjectedMetric(rank: .fixed(3)), ProjectedMetric(rank: .share(0.9, atMost: 4)), KernelMetric(),
    IterativeMetric(tolerance: 1e-13, iterations: 300), DiagonalMetric(), SharedMetric(), AverageMetric(),
    PaperMetric(),
  ]

  static let schedules = [
    RefreshSchedule(interval: 6), RefreshSchedule(interval: 6, isSpread: true),
    RefreshSchedule(interval: 4, drift: 0.05),
  ]

  @Test(arguments: metrics.indices, schedules) func sameWeights(index: Int, schedule: RefreshSchedule) throws {
    try compare(Self.metrics[index], schedule, damping: .absolute(0.05), steps: 40)
  }

  @Test func sameWeightsByTheDefaults() throws {
    try compare(try AutoMetric(costs: Self.costs), RefreshSchedule(interval: 7), damping: .usual, steps: 40)
    try compare(try AutoMetric(rank: 3, costs: Self.costs), RefreshSchedule(interval: 7), damping: .usual, steps: 40)
  }

  private func compare(_ metric: any Metric, _ schedule: RefreshSchedule, damping: Damping, steps: Int) throws {
    let (d, width, classes, samples) = Self.sizes
    var start = SeededGenerator(seed: 3, stream: .initialisation)
    func dense(_ inputs: Int, _ outputs: Int, _ name: String) throws -> Dense<Double> {
      let isTop = name == "top"
      return try Dense<Double>(
        inputs: inputs, outputs: outputs, activation: isTop ? Linear() : Tanh(),
        subsystem: isTop ? SoftmaxLayer() : nil, name: name, using: &start)
    }
    let model = try Sequential<Double>(
      [
        dense(d, width, "stem"), Residual(dense(width, width, "block 1")), Residual(dense(width, width, "block 2")),
        dense(width, classes, "top"),
      ], batchCapacity: samples)
    let rate = 0.1
    let optimizer = try RNGD<Double>(
      metric: metric, learningRate: rate, damping: damping, schedule: schedule, trustRegion: .off)
    try optimizer.prepare(for: model, batchSize: samples)

    var network = Network(
      weights: model.parameters.map { $0.value.numbers }, gradients: model.parameters.map { _ in [] })
    let preconditioner = try Preconditioner<Double>(
      sites: Self.sites, metric: metric, damping: damping, schedule: schedule, batchSize: samples)
    #expect(preconditioner.plan == optimizer.plan)

    var generator = SplitMix64(seed: 9)
    var losses: [Double] = []
    var intervals: Set<Int> = []
    // (what is the same but for rounding stays so for as many steps, and no two mini-batches are the same)
    for step in 1...steps {
      let x = generator.normal(samples * d)
      let labels = (0..<samples).map { Int32(x[$0 * d] + x[$0 * d + 1] > 0.5 ? 0 : x[$0 * d + 2] > 0 ? 1 : 2) }
      model.input.assign((0..<samples).map { Array(x[$0 * d..<($0 + 1) * d]) + [1] })
      _ = model.gradients(labels: labels.span)
      #expect(try optimizer.step(model).isEmpty)

      losses.append(network.pass(x, labels: labels))
      for (k, site) in Self.sites.enumerated() {
        try preconditioner.observe(
          site.name, inputs: network.inputs[k], preactivations: network.preactivations[k])
      }
      try preconditioner.refreshIfDue()
      for (k, site) in Self.sites.enumerated() {
        try preconditioner.direction(&network.gradients[k], at: site.name)
        for i in network.weights[k].indices { network.weights[k][i] -= rate * network.gradients[k][i] }
      }
      #expect(preconditioner.takeIncidents().isEmpty)
      for (k, parameter) in model.parameters.enumerated() {
        let comparison = Comparison.normwise(network.weights[k], parameter.value.numbers, tolerance: 1e-12)
        #expect(comparison.isAllowed, "\(metric), \(schedule), step \(step), \(parameter.name): \(comparison)")
      }
      intervals.insert(preconditioner.refreshInterval)
    }
    #expect(preconditioner.step == steps)
    #expect((schedule.drift == nil) == (intervals.count == 1), "\(metric): intervals \(intervals)")
    let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
    #expect(last < 0.97 * first, "\(metric): losses from \(first / 5) to \(last / 5)")
  }
}
