import FisherKit
import FisherKitTestSupport
import Testing

/// The same seed gives the same weights, bit for bit.
@Suite struct DeterminismTests {
  @Test(arguments: [
    "auto", "exact", "projected", "share", "kernel", "iterative", "diagonal", "shared", "paper", "average", "pair",
    "quasi-diagonal", "kronecker", "kronecker pair",
  ])
  func weights(metric name: String) throws {
    let costs = MachineCosts(products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)
    func weights(seed: UInt64) throws -> [[Double]] {
      let metric: any Metric =
        switch name {
        case "auto": try AutoMetric(memoryCap: 1 << 28, rank: 12, windowSamples: 100, costs: costs)
        case "projected": ProjectedMetric(rank: .fixed(12))
        case "share": ProjectedMetric(rank: .share(0.9, atMost: 20))
        case "kernel": KernelMetric(windowSamples: 30)
        case "iterative": IterativeMetric()
        case "diagonal": DiagonalMetric()
        case "shared": SharedMetric()
        case "paper": PaperMetric()
        case "average": AverageMetric()
        case "quasi-diagonal": QuasiDiagonalMetric()
        case "kronecker", "kronecker pair": KroneckerMetric()
        default: ExactMetric()
        }
      let data = try SyntheticData.make(training: 300, validation: 20, test: 20, seed: 1)
      let model = try Sequential<Float>.perceptron(
        shape: [data.width, 16, data.classes], activation: Tanh(), batchCapacity: 50, seed: seed)
      if name.hasSuffix("pair") { try model.pairLayers(at: 0) }
      let trainer = try Trainer(
        model: model,
        optimizer: try RNGD(metric: metric, learningRate: 0.01, damping: 0.02, refreshInterval: 5), data: data,
        batchSize: 20, seed: seed)
      try trainer.run(epochs: 1)
      return model.parameters.map { $0.value.numbers }
    }
    let first = try weights(seed: 1)
    #expect(try weights(seed: 1) == first)
    #expect(try weights(seed: 2) != first)
  }
}
