import FisherKit
import TestSupport
import Testing

/// The batch normalisation layer in a network.
@Suite struct BatchNormalizationTests {
  private func network<S: KernelScalar>(
    _: S.Type, activation: any Activation = Tanh(), samples: Int = 9, capacity: Int? = nil
  ) throws -> (model: Sequential<S>, labels: [Int32]) {
    let model = try Sequential<S>.perceptron(
      shape: [5, 7, 6, 4], activation: activation, batchNormalization: true, batchCapacity: capacity ?? samples,
      seed: 1)
    var generator = SplitMix64(seed: 4)
    for parameter in model.parameters where !parameter.isDecayed {
      // (as they may be after some training)
      let numbers = generator.normal(2 * parameter.neurons)
      for c in 0..<parameter.neurons {
        parameter.value[c, 0] = S(1 + 0.3 * numbers[2 * c])
        parameter.value[c, 1] = S(0.3 * numbers[2 * c + 1])
      }
    }
    return (model, try fill(model, samples: samples, using: &generator))
  }

  /// The mean loss of a training pass.
  private func loss(_ model: Sequential<Double>, _ labels: [Int32]) -> Double {
    model.gradients(labels: labels.span).loss
  }

  @Test(arguments: [1, 2, 9, 70]) func gradientsAgreeWithCentralDifferences(samples: Int) throws {
    for activation in [Tanh(), Softplus(), Gelu()] as [any Activation] {
      let (model, labels) = try network(Double.self, activation: activation, samples: samples)
      #expect(model.parameters.map(\.order) == [6, 2, 8, 2, 7])
      _ = model.gradients(labels: labels.span)
      let gradients = model.parameters.map { $0.gradient.numbers }
      let h = 1e-6
      for (index, parameter) in model.parameters.enumerated() {
        for i in 0..<parameter.neurons {
          for j in 0..<parameter.order {
            let weight = parameter.value[i, j]
            parameter.value[i, j] = weight + h
            let above = loss(model, labels)
            parameter.value[i, j] = weight - h
            let below = loss(model, labels)
            parameter.value[i, j] = weight
            let (found, expected) = (gradients[index][i * parameter.order + j], (above - below) / (2 * h))
            #expect(abs(found - expected) < 2e-8, "\(activation), \(samples) samples, \(parameter.name) (\(i), \(j))")
          }
        }
      }
    }
  }

  /// To the last bit: a sample alone, among others, and at another place.
  @Test func evaluationDoesNotDependOnTheBatch() throws {
    let (model, labels) = try network(Float.self, samples: 9)
    for _ in 0..<20 { _ = model.gradients(labels: labels.span) }
    let samples = model.input.elements
    func logits(_ rows: [[Float]]) -> [[Float]] {
      model.input.assign(rows)
      return model.predict { logits in logits.elements }
    }
    let together = logits(samples)
    #expect(logits(samples.reversed()) == together.reversed())
    for (sample, expected) in zip(samples, together) {
      let alone = logits([sample])[0]
      for (a, b) in zip(alone, expected) { #expect(abs(a - b) <= 1e-6 * max(1, abs(b))) }
    }
    // An evaluation leaves the statistics alone, a training pass moves them.
    let norm = try #require(model.layers[1] as? BatchNormalization<Float>)
    let before = norm.runningStatistics
    _ = logits(samples)
    #expect(norm.runningStatistics == before)
    _ = model.gradients(labels: labels.span)
    #expect(norm.runningStatistics != before)
  }

  @Test func runningStatisticsAreThoseOfTheData() throws {
    let norm = try BatchNormalization<Double>(channels: 2, decay: 0.9)
    try norm.prepare(batchCapacity: 3)
    let x = try Matrix<Double>.make([1, 10, 2, 20, 6, 60], rows: 3, columns: 2)
    var y = try Matrix<Double>(rows: 3, columns: 2)
    norm.evaluate(x, into: &y)
    #expect(abs(y[2, 0] - 6 / 1.001.squareRoot()) < 1e-12)  // mean 0, variance 1 at first
    for _ in 0..<400 { norm.forward(x, into: &y) }
    let found = norm.runningStatistics
    for (a, b) in zip(found.means + found.variances, [3, 30, 14.0 / 3, 1400.0 / 3]) { #expect(abs(a - b) < 1e-12 * b) }
    let trained = y.numbers
    norm.evaluate(x, into: &y)
    for (a, b) in zip(trained, y.numbers) { #expect(abs(a - b) < 1e-12) }
  }

  /// γ and β take plain gradients under RNGD, and no optimizer shrinks them.
  @Test func scalesTakePlainGradientsWithoutDecay() throws {
    let optimizers: [any Optimizer<Double>] = [
      try RNGD(metric: ExactMetric(), learningRate: 0.1, l2: 0.7),
      try RNGD(metric: PaperMetric(), learningRate: 0.1, l2: 0.7),
      try SGD(learningRate: 0.1, l2: 0.7), try Momentum(learningRate: 0.1, l2: 0.7),
    ]
    for optimizer in optimizers {
      let (model, labels) = try network(Double.self)
      try optimizer.prepare(for: model, batchSize: 9)
      _ = model.gradients(labels: labels.span)
      let scales = model.parameters[1]
      let expected = zip(scales.value.numbers, scales.gradient.numbers).map { $0 - 0.1 * $1 }
      _ = try optimizer.step(model)
      for (a, b) in zip(scales.value.numbers, expected) { #expect(abs(a - b) < 1e-14, "\(optimizer.name)") }
    }
    // Adam without a gradient stays where it is.
    let (model, _) = try network(Double.self)
    let adam = try Adam<Double>(learningRate: 0.1, l2: 0.7)
    try adam.prepare(for: model, batchSize: 9)
    let before = model.parameters.map { $0.value.numbers }
    _ = try adam.step(model)
    #expect(model.parameters[1].value.numbers == before[1] && model.parameters[0].value.numbers != before[0])
  }

  @Test func trains() throws {
    let data = try SyntheticData.make()
    let metrics: [any Metric] = [try AutoMetric(), PaperMetric(), ExactMetric()]
    for metric in metrics {
      let model = try Sequential<Float>.perceptron(
        shape: [data.width, 20, 16, data.classes], activation: Relu(), batchNormalization: true, batchCapacity: 100)
      let trainer = try Trainer(
        model: model, optimizer: try RNGD(metric: metric, learningRate: 0.01, l2: 1e-3), data: data, batchSize: 50)
      var losses: [Double] = []
      try trainer.run(epochs: 2) { if case .epoch(let report) = $0 { losses.append(report.training.loss) } }
      #expect(losses.count == 2 && losses[1] < losses[0] && losses[1] < 2, "\(metric): \(losses)")
    }
  }
}
