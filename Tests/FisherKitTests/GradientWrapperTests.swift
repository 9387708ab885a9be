import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Clipped and accumulated gradients, and averaged weights.
@Suite struct GradientWrapperTests {
  private func norm(_ matrices: [[Double]]) -> Double { matrices.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// A step by SGD of rate 1 is the gradient, so what is left of it can be read off the weights.
  private func step(_ optimizer: any Optimizer<Double>, scale: Double = 1) throws -> (
    found: [[Double]], plain: [[Double]]
  ) {
    let (model, labels) = try smallNetwork(Double.self)
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    for parameter in model.parameters { parameter.gradient.scale(by: scale) }
    let plain = model.parameters.map { $0.gradient.numbers }
    let before = model.parameters.map { $0.value.numbers }
    _ = try optimizer.step(model)
    let found = model.parameters.indices.map { k in
      zip(before[k], model.parameters[k].value.numbers).map { $0 - $1 }
    }
    return (found, plain)
  }

  @Test(arguments: [0.01, 0.2, 1e6]) func clippedTogether(most: Double) throws {
    let optimizer = try ClippedGradients(try SGD<Double>(learningRate: 1), norm: most)
    let (found, plain) = try step(optimizer)
    let all = norm(plain)
    #expect(abs(optimizer.lastNorm - all) < 1e-12 * all)
    for (found, plain) in zip(found, plain) {
      let expected = plain.map { $0 * min(1, most / all) }
      #expect(Comparison.normwise(found, expected, tolerance: 1e-12).isAllowed)
    }
    #expect(norm(found) < most * 1.000001)
  }

  @Test func clippedOneByOne() throws {
    let most = 0.1
    let (found, plain) = try step(
      try ClippedGradients(try SGD<Double>(learningRate: 1), norm: 0.15, parameterNorm: most))
    let each = plain.map { plain in plain.map { $0 * min(1, most / norm([plain])) } }
    let factor = min(1, 0.15 / norm(each))
    #expect(plain.contains { norm([$0]) > most } && factor < 1)
    for (found, expected) in zip(found, each) {
      #expect(Comparison.normwise(found, expected.map { $0 * factor }, tolerance: 1e-12).isAllowed)
    }
  }

  /// Numbers whose squares overflow are scaled as others are.
  @Test(arguments: [1e160, 1e300]) func clippedFromAfar(scale: Double) throws {
    for (norm, parameterNorm) in [(0.5, nil), (nil, 0.25), (0.5, 0.25)] as [(Double?, Double?)] {
      let optimizer = try ClippedGradients(try SGD<Double>(learningRate: 1), norm: norm, parameterNorm: parameterNorm)
      let near = try step(
        try ClippedGradients(try SGD<Double>(learningRate: 1), norm: norm, parameterNorm: parameterNorm), scale: 1e6)
      let far = try step(optimizer, scale: scale)
      for (near, far) in zip(near.found, far.found) {
        #expect(Comparison.normwise(far, near, tolerance: 1e-9).isAllowed)
      }
      #expect(optimizer.lastNorm.isFinite && optimizer.lastNorm > scale * 1e-6)
    }
  }

  /// Inside of accumulation weights are averaged step by step.
  @Test func averagesOfAccumulatedSteps() throws {
    func averages(_ make: (any Optimizer<Double>) throws -> any Optimizer<Double>, batches: Int) throws -> [[Double]] {
      let (model, labels) = try smallNetwork(Double.self)
      let optimizer = try make(try AveragedWeights(try SGD<Double>(learningRate: 0.1), decay: 0.5))
      try optimizer.prepare(for: model, batchSize: 9)
      for _ in 0..<batches {
        _ = model.gradients(labels: labels.span)
        _ = try optimizer.step(model)
      }
      optimizer.beginEvaluation(model)
      return model.parameters.map { $0.value.numbers }
    }
    let each = try averages({ $0 }, batches: 4)
    let pairs = try averages({ try AccumulatedGradients($0, over: 2) }, batches: 8)
    for (a, b) in zip(each, pairs) { #expect(Comparison.normwise(b, a, tolerance: 1e-12).isAllowed) }
  }

  /// Epochs of accumulated steps need not be whole numbers of them.
  @Test func epochsOfAccumulatedSteps() throws {
    let scheduled = try ScheduledOptimizer(
      try SGD<Double>(learningRate: 1),
      [.learningRate: Constant().over(.epochs(2)).then(LinearSchedule(from: 0, to: 0))])
    let (model, _) = try smallNetwork(Double.self)
    let optimizer = try AccumulatedGradients(scheduled, over: 2)
    try optimizer.prepare(for: model, batchSize: 9)
    optimizer.expect(RunLength(stepsPerEpoch: 3, epochs: 4))
    var rates: [Double] = []
    for batch in 1...12 {
      for parameter in model.parameters { parameter.gradient.setToZero() }
      _ = try optimizer.step(model)
      if batch % 2 == 0 { rates.append(scheduled.inner.learningRate) }
    }
    #expect(rates == [1, 1, 1, 0, 0, 0])
  }

  @Test func clippingRefuses() throws {
    let sgd = try SGD<Double>()
    #expect(throws: FisherError.self) { try ClippedGradients(sgd) }
    for norm in [0, -1, .nan, .infinity] {
      #expect(throws: FisherError.self) { try ClippedGradients(sgd, norm: norm) }
      #expect(throws: FisherError.self) { try ClippedGradients(sgd, parameterNorm: norm) }
    }
    let optimizer = try ClippedGradients(sgd, norm: 1)
    let (model, labels) = try smallNetwork(Double.self)
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    model.parameters[1].gradient[0, 0] = .nan
    let before = model.parameters.map { $0.value.numbers }
    #expect(throws: FisherError.nonFinite(what: "gradient of \(model.parameters[1].name)", step: 1)) {
      try optimizer.step(model)
    }
    #expect(model.parameters.map { $0.value.numbers } == before)
  }

  /// Three mini-batches of three make the step of one of nine, its curvature of all nine samples.
  @Test(arguments: 0...2) func accumulated(index: Int) throws {
    func optimizer() throws -> any Optimizer<Double> {
      switch index {
      case 0: try SGD(learningRate: 0.3)
      case 1: try Adam(learningRate: 0.01)
      default:
        try RNGD(
          metric: ExactMetric(windowSamples: 9), learningRate: 0.1, damping: 0.1, refreshInterval: 1,
          trustRegion: TrustRegion(kappa: 0.01))
      }
    }
    let (whole, _) = try smallNetwork(Double.self)
    let (parts, _) = try smallNetwork(Double.self)
    let one = try optimizer(), three = try AccumulatedGradients(try optimizer(), over: 3)
    try one.prepare(for: whole, batchSize: 9)
    try three.prepare(for: parts, batchSize: 3)
    var generator = SplitMix64(seed: 8)
    for _ in 1...3 {
      let labels = try fill(whole, samples: 9, using: &generator)
      _ = whole.gradients(labels: labels.span)
      let rows = whole.input.elements
      _ = try one.step(whole)
      for part in 0..<3 {
        let before = parts.parameters.map { $0.value.numbers }
        parts.input.resize(rows: 3)
        for i in 0..<3 { for j in rows[0].indices { parts.input[i, j] = rows[3 * part + i][j] } }
        let own = Array(labels[(3 * part)..<(3 * part + 3)])
        _ = parts.gradients(labels: own.span)
        _ = try three.step(parts)
        #expect((parts.parameters.map { $0.value.numbers } == before) == (part < 2))
      }
      for (a, b) in zip(whole.parameters, parts.parameters) {
        let comparison = Comparison.normwise(b.value.numbers, a.value.numbers, tolerance: 1e-9)
        #expect(comparison.isAllowed, "\(one.name), \(a.name): \(comparison)")
      }
    }
  }

  /// Rates, trust regions and refreshes go by the samples of a step, schedules by steps.
  @Test func accumulationCountsSteps() throws {
    let (model, _) = try smallNetwork(Double.self)
    let inner = try RNGD<Double>()
    let optimizer = try AccumulatedGradients(inner, over: 10)
    try optimizer.prepare(for: model, batchSize: 9)
    #expect(inner.learningRate == RNGD<Double>.usualLearningRate(batchSize: 90))
    #expect(
      inner.trustRegionKappa == TrustRegion.usual.kappa(batchSize: 90, parameters: model.parameters.count))
    #expect(inner.refreshInterval == AutoMetric.refreshSamples / 90)
    let scheduled = try ScheduledOptimizer(try SGD<Double>(learningRate: 1), [.learningRate: LinearSchedule()])
    let around = try AccumulatedGradients(scheduled, over: 2)
    try around.prepare(for: model, batchSize: 9)
    around.expect(RunLength(stepsPerEpoch: 5, epochs: 4))
    for _ in 1...4 {
      for parameter in model.parameters { parameter.gradient.setToZero() }
      _ = try around.step(model)
    }
    #expect(scheduled.inner.learningRate == 0.9)
    for count in [0, -1] { #expect(throws: FisherError.self) { try AccumulatedGradients(inner, over: count) } }
  }

  /// What a trainer evaluates, and leaves in the model, is the average; what it trains on is not.
  @Test func averagedWeights() throws {
    let data = try SyntheticData.make(training: 90, validation: 30, test: 20, seed: 5)
    func model() throws -> Sequential<Double> {
      try Sequential<Double>.perceptron(
        shape: [data.width, 8, data.classes], activation: Tanh(), batchCapacity: 30, seed: 2)
    }
    let (plain, averaged) = (try model(), try model())
    var average: [[Double]] = []
    var count = 0
    let one = try Trainer(model: plain, optimizer: try SGD<Double>(learningRate: 0.2), data: data, batchSize: 10)
    var expected: [Double] = []
    let reference = try model()
    try one.run(epochs: 2) { event in
      if case .step = event {
        count += 1
        let share = min(0.9, Double(count) / Double(count + 9))
        let weights = plain.parameters.map { $0.value.numbers }
        average =
          count == 1
          ? weights
          : zip(average, weights).map { zip($0, $1).map { share * $0 + (1 - share) * $1 } }
      }
      if case .epoch = event {
        for (parameter, numbers) in zip(reference.parameters, average) {
          parameter.value.copy(
            from: try Matrix<Double>.make(numbers, rows: parameter.neurons, columns: parameter.order))
        }
        expected.append(
          try reference.score(data.samples, data.validation, SoftmaxCrossEntropy(), name: "") { _, _ in }.loss)
      }
    }
    let optimizer = try AveragedWeights(try SGD<Double>(learningRate: 0.2), decay: 0.9)
    let two = try Trainer(model: averaged, optimizer: optimizer, data: data, batchSize: 10)
    var found: [Double] = []
    var trained: [[Double]] = []
    try two.run(epochs: 2) { event in
      if case .epoch(let report) = event {
        found.append(report.validation.loss)
        trained = averaged.parameters.map { $0.value.numbers }
      }
    }
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-12) }
    #expect(found.count == 2 && trained == plain.parameters.map { $0.value.numbers })
    for (parameter, average) in zip(averaged.parameters, average) {
      #expect(Comparison.normwise(parameter.value.numbers, average, tolerance: 1e-12).isAllowed)
    }
    // (another run goes on with what was trained)
    try one.run(epochs: 1)
    try two.run(epochs: 1) { event in
      if case .epoch = event { trained = averaged.parameters.map { $0.value.numbers } }
    }
    #expect(trained == plain.parameters.map { $0.value.numbers })
    for decay in [-0.1, 1, .nan] { #expect(throws: FisherError.self) { try AveragedWeights(optimizer, decay: decay) } }
  }

  /// After weights went back the average begins anew, whatever it held.
  @Test func averageAfterARecovery() throws {
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try AveragedWeights(try SGD<Double>(learningRate: 0.1))
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    let good = model.parameters[0].value.numbers
    model.parameters[0].value.fill(with: .nan)
    _ = model.gradients(labels: labels.span)
    for parameter in model.parameters { parameter.gradient.setToZero() }
    _ = try optimizer.step(model)
    model.parameters[0].value.copy(
      from: try Matrix<Double>.make(good, rows: model.parameters[0].neurons, columns: model.parameters[0].order))
    optimizer.restart()
    optimizer.beginEvaluation(model)
    #expect(model.parameters[0].value.numbers == good)
    optimizer.endEvaluation(model)
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    optimizer.beginEvaluation(model)
    let isFinite = model.parameters[0].value.isFinite
    #expect(isFinite)
  }
}
