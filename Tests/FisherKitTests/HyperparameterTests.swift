import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Hyper-parameters outside their range are refused by a typed error that names them, wherever they are first used.
@Suite struct HyperparameterTests {
  static let metrics: [(any Metric, String)] = [
    (ExactMetric(windowSamples: 0), "window samples"), (SharedMetric(windowSamples: -1), "window samples"),
    (DiagonalMetric(windowSamples: 0), "window samples"), (KernelMetric(windowSamples: 0), "window samples"),
    (AverageMetric(decay: 1), "decay"), (AverageMetric(decay: .nan), "decay"), (AverageMetric(decay: -0.1), "decay"),
    (AverageMetric(windowSamples: 0), "window samples"), (PaperMetric(decay: 1.5), "decay"),
    (IterativeMetric(tolerance: 0), "tolerance"), (IterativeMetric(tolerance: 1), "tolerance"),
    (IterativeMetric(iterations: 0), "iterations"), (IterativeMetric(windowSamples: 0), "window samples"),
    (ProjectedMetric(rank: .fixed(0)), "rank"), (ProjectedMetric(rank: .share(0, atMost: 8)), "share of the rank"),
    (ProjectedMetric(rank: .share(1.1, atMost: 8)), "share of the rank"),
    (ProjectedMetric(windowSamples: 0), "window samples"),
  ]

  @Test func ofMetrics() throws {
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh())), batchSize: 4,
      refreshInterval: 1, damping: 0.1)
    for (metric, name) in Self.metrics {
      refuses(name, "\(metric)") { _ = try RNGD<Float>(metric: metric) }
      refuses(name, "\(metric) alone") { _ = try metric.makeCurvature(for: site) }
    }
    refuses("rank", "auto") { _ = try AutoMetric(rank: 0) }
    refuses("window samples", "auto") { _ = try AutoMetric(windowSamples: 0) }
  }

  @Test func ofTrainers() throws {
    let data = try SyntheticData.make(features: 3, factors: 2, classes: 2, training: 20, validation: 4, test: 4)
    func trainer(batch: Int, _ recovery: Recovery = Recovery()) throws {
      let model = try Sequential<Float>.perceptron(shape: [3, 4, 2], activation: Tanh(), batchCapacity: 10)
      _ = try Trainer(
        model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: batch, recovery: recovery)
    }
    try trainer(batch: 10)
    for batch in [0, -1, 11] { refuses("mini-batch", "\(batch)") { try trainer(batch: batch) } }
    refuses("recovery attempts", "-1") { try trainer(batch: 5, Recovery(attempts: -1)) }
  }

  @Test func ofActivations() throws {
    for iota in [-0.1, 1, .nan, .infinity] {
      refuses("iota", "relu, \(iota)") { _ = try Relu(iota: iota) }
      refuses("iota", "leaky-relu, \(iota)") { _ = try LeakyRelu(iota: iota) }
      #expect(LeakyRelu(parameters: ["iota": iota]) == nil && Relu(parameters: ["iota": iota, "omega": 0]) == nil)
    }
    for number in [-1, 1.1e6, .nan, .infinity] {
      refuses("omega", "\(number)") { _ = try Relu(omega: number) }
      refuses("alpha", "\(number)") { _ = try Elu(alpha: number) }
      #expect(Elu(parameters: ["alpha": number]) == nil && Relu(parameters: ["iota": 0, "omega": number]) == nil)
    }
    for sigma in [0, -1, 1e-16, 1e16, .nan, .infinity] {
      refuses("sigma", "\(sigma)") { _ = try LinearLayer(sigma: sigma) }
    }
    #expect(try Relu(iota: 0.3, omega: 1e6).omega == 1e6 && Elu(alpha: 0).alpha == 0)
  }

  @Test func ofSyntheticData() {
    refuses("units", "none") { _ = try SyntheticData.make(units: []) }
    refuses("units", "0") { _ = try SyntheticData.make(units: [1, 0]) }
    refuses("features", "0") { _ = try SyntheticData.make(features: 0) }
    refuses("factors", "0") { _ = try SyntheticData.make(factors: 0) }
    refuses("classes", "1") { _ = try SyntheticData.make(classes: 1) }
    refuses("validation", "-1") { _ = try SyntheticData.make(validation: -1) }
  }

  private func refuses(_ name: String, _ what: String, _ body: () throws -> Void) {
    let error = failure(of: body) as? FisherError
    guard case .invalidArgument(name, _, _)? = error else {
      Issue.record("\(what): \(String(describing: error))")
      return
    }
  }
}
