import FisherKit
import FisherKitTestSupport
import Testing

/// Batch normalisation as a layer, alone and in a network.
@Suite struct BatchNormalizationTests {
  /// A layer, made ready, and one matrix for what goes in and one for what comes out, each with its bias column.
  private func layer<S: KernelScalar>(
    _: S.Type, channels: Int, capacity: Int, decay: Double = 0.99
  ) throws -> BatchNormalization<S> {
    let layer = try BatchNormalization<S>(channels: channels, decay: decay)
    try layer.prepare(batchCapacity: capacity)
    return layer
  }

  private func pass<S: KernelScalar>(
    _ layer: BatchNormalization<S>, _ x: [Double], isTraining: Bool
  ) throws -> [Double] {
    let (m, n) = (layer.channels, x.count / layer.channels)
    let rows = (0..<n).flatMap { s in x[s * m..<(s + 1) * m] + [1] }
    let input = try Matrix<S>.make(rows, rows: n, columns: m + 1)
    var output = try Matrix<S>.make(rows.map { _ in 7 }, rows: n, columns: m + 1)
    if isTraining {
      layer.forward(input, into: &output)
    } else {
      layer.evaluate(input, into: &output)
    }
    #expect((0..<n).allSatisfy { output[$0, m] == 7 }, "the bias column was written")
    return output.elements.flatMap { $0.dropLast().map(Double.init) }
  }

  @Test func start() throws {
    let layer = try BatchNormalization<Double>(channels: 3)
    #expect(layer.decay == 0.99 && layer.epsilon == 1e-3)
    #expect(layer.parameter.value.elements == [[1, 0], [1, 0], [1, 0]])
    #expect(layer.parameter.subsystem == nil && !layer.parameter.isDecayed)
    #expect(layer.runningMean.elements == [[0, 0, 0]] && layer.runningVariance.elements == [[1, 1, 1]])
    let model = try Sequential<Float>.perceptron(
      shape: [5, 4, 3, 2], activation: Tanh(), batchNormalization: BatchNormalizationOptions(hasBlocks: true),
      batchCapacity: 2)
    #expect(
      model.parameters.map(\.name) == [
        "layer 1", "layer 1: batch normalisation", "layer 2", "layer 2: batch normalisation", "layer 3",
      ])
    #expect(model.parameters[3].subsystem is BatchNorm && model.parameters.map(\.isDecayed)[0...1] == [true, false])
  }

  /// What a mini-batch comes to, and what the running averages make of it: mean 0 and variance 1 decay by 0.9.
  @Test(arguments: [1, 2, 9]) func trainingPass(samples n: Int) throws {
    let layer = try layer(Double.self, channels: 3, capacity: 9, decay: 0.9)
    var generator = SplitMix64(seed: 91)
    let (x, w) = (generator.normal(n * 3), generator.normal(6))
    layer.parameter.value.assign([[w[0], w[1]], [w[2], w[3]], [w[4], w[5]]])
    let found = try pass(layer, x, isTraining: true)
    let expected = Reference.batchNorm(x: x, w: w, n: n, m: 3, epsilon: 1e-3)
    #expect(Comparison.normwise(found, expected.y, tolerance: 1e-14).isAllowed)
    let unbiased = expected.variance.map { n > 1 ? 0.9 + 0.1 * $0 * Double(n) / Double(n - 1) : 1 }
    #expect(
      Comparison.normwise(layer.runningMean.numbers, expected.mean.map { 0.1 * $0 }, tolerance: 1e-14).isAllowed)
    #expect(Comparison.normwise(layer.runningVariance.numbers, unbiased, tolerance: 1e-14).isAllowed)
    let evaluated = Reference.batchNormEvaluate(
      x: x, mean: layer.runningMean.numbers, variance: layer.runningVariance.numbers, w: w, n: n, m: 3, epsilon: 1e-3)
    #expect(Comparison.normwise(try pass(layer, x, isTraining: false), evaluated, tolerance: 1e-14).isAllowed)
  }

  /// Running statistics come to those of the data, also from mini-batches so small that their variance over n is half.
  @Test func runningStatisticsConverge() throws {
    let layer = try layer(Float.self, channels: 2, capacity: 2)
    var generator = SplitMix64(seed: 92)
    let (means, deviations) = ([3.0, -0.5], [2.0, 0.1])
    // (averaged over the last steps as well: one alone still scatters by a tenth)
    var (mean, variance) = ([0.0, 0], [0.0, 0])
    for step in 0..<8000 {
      let x = generator.normal(4)
      _ = try pass(layer, x.indices.map { means[$0 % 2] + deviations[$0 % 2] * x[$0] }, isTraining: true)
      guard step >= 2000 else { continue }
      for i in 0..<2 {
        mean[i] += layer.runningMean.numbers[i] / 6000
        variance[i] += layer.runningVariance.numbers[i] / 6000
      }
    }
    for i in 0..<2 {
      #expect(abs(mean[i] - means[i]) < 0.05 * deviations[i], "channel \(i): mean \(mean[i])")
      let ratio = variance[i] / (deviations[i] * deviations[i])
      #expect(abs(ratio - 1) < 0.06, "channel \(i): variance \(ratio) of the data's")
    }
  }

  /// In evaluation a sample comes out the same to the last bit, whatever is beside it; and nothing is learned from it.
  @Test(arguments: [false, true]) func evaluationOfASampleIsItsOwn(isDouble: Bool) throws {
    if isDouble { try evaluateInBatches(Double.self) } else { try evaluateInBatches(Float.self) }
  }

  private func evaluateInBatches<S: KernelScalar>(_ type: S.Type) throws {
    let model = try normalized(type, samples: 9)
    var generator = SplitMix64(seed: 93)
    for _ in 0..<20 {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
    }
    let rows = model.input.elements
    let together = model.predict { $0.elements }
    let trained = model.forward { $0.elements }
    #expect(together != trained)
    let norm = try #require(model.layers[1] as? BatchNormalization<S>)
    let statistics = norm.runningMean.numbers + norm.runningVariance.numbers
    for (first, count) in [(0, 1), (3, 4), (8, 1), (2, 7)] {
      model.input.assign(Array(rows[first..<first + count]))
      // (the forward pass above moved the running averages: what is compared is after it)
      let part = model.predict { $0.elements }
      model.input.assign(rows)
      let again = model.predict { $0.elements }
      #expect(part == Array(again[first..<first + count]), "samples from \(first), \(count) of them")
    }
    #expect(norm.runningMean.numbers + norm.runningVariance.numbers == statistics)
  }

  private func normalized<S: KernelScalar>(
    _: S.Type, activation: any Activation = Tanh(), samples: Int
  ) throws -> Sequential<S> {
    try Sequential<S>.perceptron(
      shape: [5, 7, 6, 4], activation: activation, batchNormalization: BatchNormalizationOptions(),
      batchCapacity: samples, seed: 1)
  }

  /// Every parameter's gradient, through the statistics of the mini-batch, against central differences.
  @Test(arguments: [1, 2, 9]) func gradientsOfNetwork(samples: Int) throws {
    let h = 1e-6
    for activation in [Tanh(), Softplus(), Linear()] as [any Activation] {
      let model = try normalized(Double.self, activation: activation, samples: samples)
      var generator = SplitMix64(seed: 94)
      let labels = try fill(model, samples: samples, using: &generator)
      for parameter in model.parameters where !parameter.isDecayed {
        for i in 0..<parameter.neurons { parameter.value.assignRow(i, generator.normal(2)) }
      }
      _ = model.gradients(labels: labels.span)
      // (the losses beside a weight are those of training passes, which leave gradients of their own)
      let gradients = model.parameters.map { $0.gradient.elements }
      for (parameter, found) in zip(model.parameters, gradients) {
        for i in 0..<parameter.neurons {
          for j in 0..<parameter.order {
            let weight = parameter.value[i, j]
            parameter.value[i, j] = weight + h
            let above = model.gradients(labels: labels.span).loss
            parameter.value[i, j] = weight - h
            let below = model.gradients(labels: labels.span).loss
            parameter.value[i, j] = weight
            let expected = (above - below) / (2 * h)
            #expect(
              abs(found[i][j] - expected) < 2e-8 * (1 + abs(expected)),
              "\(activation), \(samples) samples, \(parameter.name) (\(i), \(j)): \(found[i][j]), not \(expected)")
          }
        }
      }
    }
  }

  /// A mini-batch that no step can be taken with, NaN or too large for its variance, leaves no trace.
  @Test(arguments: [Float.nan, .infinity, 1e30]) func mistakenBatch(number: Float) throws {
    let model = try normalized(Float.self, activation: Linear(), samples: 9)
    let optimizer = try SGD<Float>(learningRate: 0.1)
    try optimizer.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 99)
    func take(_ change: (inout Matrix<Float>) -> Void = { _ in }) throws -> Double {
      let labels = try fill(model, samples: 9, using: &generator)
      change(&model.input)
      let loss = model.gradients(labels: labels.span).loss
      _ = try optimizer.step(model)
      return loss
    }
    #expect(try take().isFinite)
    let norms = model.layers.compactMap { $0 as? BatchNormalization<Float> }
    func state() -> [[Double]] {
      norms.map { $0.runningMean.numbers + $0.runningVariance.numbers } + model.parameters.map { $0.value.numbers }
    }
    let before = state()
    let error = failure(of: {
      _ = try take { $0[2, 1] = number }
    })
    guard case .nonFinite? = error as? FisherError else {
      Issue.record("\(number) was stepped on: \(String(describing: error))")
      return
    }
    #expect(norms.count == 2 && state() == before)
    #expect(try take().isFinite)
    model.input.assign(Array(repeating: Array(repeating: 1, count: 6), count: 9))
    #expect(model.predict { $0.isFinite })
  }

  @Test func refusals() throws {
    for (decay, epsilon, what) in [
      (1, 1e-3, "decay"), (-0.1, 1e-3, "decay"), (0.9, 0, "epsilon"), (0.9, .nan, "epsilon"),
      (0.9, 1e-50, "epsilon"),
    ] {
      let error = failure(of: { _ = try BatchNormalization<Float>(channels: 2, decay: decay, epsilon: epsilon) })
      guard case .invalidArgument(what, _, _)? = error as? FisherError else {
        Issue.record("\(what) was not refused: \(String(describing: error))")
        continue
      }
    }
    // No two dense layers are next to each other, and so none are a pair.
    let model = try normalized(Double.self, samples: 2)
    for (index, place) in [(0, 2), (1, 2), (2, 4), (3, 4)] {
      let error = failure(of: { try model.pairLayers(at: index) })
      #expect(
        error as? FisherError
          == .invalidArgument(
            what: "pair of layers", expected: "two dense layers with Fisher matrices, one above the other",
            found: "none at layer \(place)"))
    }
  }
}

extension Matrix {
  fileprivate mutating func assignRow(_ row: Int, _ numbers: [Double]) {
    for (j, number) in numbers.enumerated() { self[row, j] = Scalar(number) }
  }
}
