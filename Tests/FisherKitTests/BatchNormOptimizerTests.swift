import FisherKitTestSupport
import Testing

@testable import FisherKit

/// What optimizers make of γ and β: the plain gradient, or 2×2 blocks, and never a decay.
@Suite struct BatchNormOptimizerTests {
  private let rate = 0.3
  private let damping = 0.02
  private let l2 = 0.05

  private func network<S: KernelScalar>(
    _: S.Type = Double.self, hasBlocks: Bool, samples: Int = 9
  ) throws -> Sequential<S> {
    let model = try Sequential<S>.perceptron(
      shape: [5, 7, 6, 4], activation: Tanh(), batchNormalization: BatchNormalizationOptions(hasBlocks: hasBlocks),
      batchCapacity: samples, seed: 1)
    var generator = SplitMix64(seed: 95)
    for parameter in model.parameters where !parameter.isDecayed {
      parameter.value.assign((0..<parameter.neurons).map { _ in generator.normal(2).map { S($0) } })
    }
    return model
  }

  /// x̂ of both normalisations, by a forward pass of its own.
  private func normalized<S: KernelScalar>(_ model: Sequential<S>) -> [[Double]] { shown(model).map(\.xhat) }

  /// x̂ of both normalisations, and what the dense layers above them are fed, (γx̂ + β, 1): of the mini-batch by its own
  /// statistics, or by the running ones.
  private func shown<S: KernelScalar>(
    _ model: Sequential<S>, isTraining: Bool = true
  ) -> [(xhat: [Double], inputs: [Double])] {
    let n = model.input.rows
    var (inputs, result) = (model.input.numbers, [(xhat: [Double], inputs: [Double])]())
    for layer in [0, 2] {
      let (weights, norm) = (model.parameters[layer], model.parameters[layer + 1])
      let (m, d) = (weights.neurons, weights.order)
      let z = Reference.gemm(a: inputs, b: weights.value.numbers, transposeB: true, m: n, n: m, k: d)
      let (x, w) = (z.map { Reference.Activation.tanh.value($0) }, norm.value.numbers)
      var output = Reference.batchNorm(x: x, w: w, n: n, m: m, epsilon: 1e-3)
      if !isTraining, let layer = model.layers[layer + 1] as? BatchNormalization<S> {
        let (mean, variance) = (layer.runningMean.numbers, layer.runningVariance.numbers)
        func evaluate(_ w: [Double]) -> [Double] {
          Reference.batchNormEvaluate(x: x, mean: mean, variance: variance, w: w, n: n, m: m, epsilon: 1e-3)
        }
        (output.y, output.xhat) = (evaluate(w), evaluate((0..<m).flatMap { _ in [1, 0] }))
      }
      inputs = (0..<n).flatMap { s in output.y[s * m..<(s + 1) * m] + [1] }
      result.append((output.xhat, inputs))
    }
    return result
  }

  /// Refreshes at steps 1 and 3 of 4 (T = 3): the second one has the mini-batches of steps 2 and 3.
  @Test(arguments: [false, true]) func stepsOfRNGD(hasBlocks: Bool) throws {
    try stepsOfRNGD(Double.self, hasBlocks: hasBlocks, tolerance: 1e-12)
    try stepsOfRNGD(Float.self, hasBlocks: hasBlocks, tolerance: 1e-5)
  }

  private func stepsOfRNGD<S: KernelScalar>(_ type: S.Type, hasBlocks: Bool, tolerance: Double) throws {
    let model = try network(type, hasBlocks: hasBlocks)
    let optimizer = try RNGD<S>(
      metric: ExactMetric(), learningRate: rate, damping: .absolute(damping),
      schedule: RefreshSchedule(interval: 3, startsEarly: false), trustRegion: .off, decay: .l2(l2))
    try optimizer.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 96)
    var windows: [[[Double]]] = [[], []]
    var blocks: [[[Double]]] = [[], []]
    for step in 1...4 {
      let labels = try fill(model, samples: step == 2 ? 4 : 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      for (k, x) in normalized(model).enumerated() {
        let m = model.parameters[2 * k + 1].neurons
        windows[k] += (0..<x.count / m).map { Array(x[$0 * m..<($0 + 1) * m]) }
        guard step == 1 || step == 3 else { continue }
        blocks[k] = (0..<m).map { i in
          let channel = windows[k].map { $0[i] }
          let (mean, square) = (
            channel.reduce(0, +) / Double(channel.count), channel.reduce(0) { $0 + $1 * $1 } / Double(channel.count)
          )
          return [square, mean, mean, 1]
        }
        windows[k] = []
      }
      let expected = (0..<2).map { k in
        let parameter = model.parameters[2 * k + 1]
        let (w, g) = (parameter.value.elements, parameter.gradient.elements)
        return w.indices.flatMap { i in
          let gradient = g[i].map { Double($0) }
          let direction = hasBlocks ? eliminate(blocks[k][i], gradient, damping: damping) : gradient
          return zip(w[i], direction).map { Double($0) - rate * $1 }
        }
      }
      #expect(try optimizer.step(model).isEmpty)
      for k in 0..<2 {
        let comparison = Comparison.normwise(
          model.parameters[2 * k + 1].value.numbers, expected[k], tolerance: tolerance)
        #expect(comparison.isAllowed, "\(type), blocks \(hasBlocks), step \(step), layer \(k + 1): \(comparison)")
      }
    }
  }

  /// The metric sees, and counts, dense layers only: with paper the first and the last of them have one matrix each,
  /// also where a normalisation with blocks is below them or above.
  @Test func sitesOfTheMetric() throws {
    func plan(_ layers: [any Layer<Double>]) throws -> [LayerPlan] {
      let optimizer = try RNGD<Double>(metric: PaperMetric(), learningRate: rate)
      try optimizer.prepare(for: try Sequential(layers, batchCapacity: 9), batchSize: 9)
      return optimizer.plan
    }
    func dense(_ inputs: Int, _ outputs: Int) throws -> any Layer<Double> {
      var generator = SeededGenerator(seed: 0, stream: .initialisation)
      return try Dense<Double>(
        inputs: inputs, outputs: outputs, activation: Tanh(), name: "\(inputs) to \(outputs)", using: &generator)
    }
    func norm(_ channels: Int) throws -> any Layer<Double> {
      try BatchNormalization<Double>(channels: channels, subsystem: BatchNorm(), name: "norm \(channels)")
    }
    let plain = try plan([dense(5, 17), dense(17, 18), dense(18, 4)])
    let mixed = try plan([norm(5), dense(5, 17), norm(17), dense(17, 18), dense(18, 4), norm(4)])
    #expect(mixed.map(\.name) == ["norm 5", "5 to 17", "norm 17", "17 to 18", "18 to 4", "norm 4"])
    #expect(mixed.filter { !$0.name.hasPrefix("norm") } == plain)
    #expect(mixed[2].estimate.summary == "17 blocks of order 2" && mixed[2].bytes == 17 * 5 * 8)
  }

  /// With a gradient of zeros L2 is all that moves a parameter: γ stays, a weight does not. RNGD takes no more L2 than a
  /// share of the gradient, and of none nothing.
  @Test func scaleIsNotDecayed() throws {
    for optimizer in [
      try SGD(learningRate: rate, decay: .l2(l2)), try Momentum(learningRate: rate, decay: .l2(l2)),
      try Adam(learningRate: rate, decay: .l2(l2)),
      try RNGD(learningRate: rate, damping: .absolute(damping), decay: .l2(l2)),
    ] as [any Optimizer<Double>] {
      for hasBlocks in [false, true] {
        let model = try network(hasBlocks: hasBlocks) as Sequential<Double>
        try optimizer.prepare(for: model, batchSize: 9)
        var generator = SplitMix64(seed: 97)
        let labels = try fill(model, samples: 9, using: &generator)
        _ = model.gradients(labels: labels.span)
        for parameter in model.parameters {
          parameter.gradient.assign(
            Array(repeating: Array(repeating: 0, count: parameter.order), count: parameter.neurons))
        }
        let before = model.parameters.map { $0.value.elements }
        #expect(try optimizer.step(model).isEmpty)
        for (parameter, old) in zip(model.parameters, before) {
          let isMoved = parameter.isDecayed && !(optimizer is RNGD<Double>)
          #expect((parameter.value.elements == old) != isMoved, "\(optimizer.name), \(parameter.name)")
        }
      }
    }
  }

  /// Without damping a channel that is constant has no inverse: it gets what rounding needs, and the window that of its
  /// samples alone.
  @Test func constantChannels() throws {
    for constant in [0.0, 2.0] {
      let site = CurvatureSite<Double>(
        Site(name: "norm", neurons: 3, order: 2, subsystem: BatchNorm()), batchSize: 2,
        refreshInterval: 1,
        damping: 0.0)
      let curvature = try #require(try site.curvatureOfItsForm())
      let batch = try Matrix<Double>.make([1, constant, -1, -1, constant, 1], rows: 2, columns: 3)
      try curvature.observe(inputs: batch, preactivations: batch)
      try curvature.refresh()
      #expect(site.takeIncidents().isEmpty)
      let lambda = 16 * Double.ulpOfOne * (constant * constant + 1)
      let gradient = [1, 1, constant, 1, 1, 1]
      var direction = try Matrix<Double>.make(gradient, rows: 3, columns: 2)
      try curvature.precondition(&direction)
      // (along (x̂, 1) the block is of full strength)
      let along = 1 / (constant * constant + 1 + lambda)
      let channel = Array(direction.numbers[2..<4])
      #expect(Comparison.normwise(channel, [constant * along, along], tolerance: 0.05).isAllowed)
      let next = try Matrix<Double>.make([1, -1, 0.5, -1, 1, -0.5], rows: 2, columns: 3)
      try curvature.observe(inputs: next, preactivations: next)
      try curvature.refresh()
      direction = try .make([1, 2, 3, 4, 5, 6], rows: 3, columns: 2)
      try curvature.precondition(&direction)
      let expected = [1.0, 1, 0.25].enumerated().flatMap { [Double(2 * $0 + 1) / $1, Double(2 * $0 + 2)] }
      let numbers = direction.numbers
      #expect(Comparison.normwise(numbers, expected, tolerance: 1e-12).isAllowed)
    }
    let layer = NonlinearLayer(Tanh())
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 3, order: 2, subsystem: layer), batchSize: 2, refreshInterval: 1,
      damping: 0.0)
    #expect(try site.curvatureOfItsForm() == nil)
  }

  /// The Fisher matrix of a whole model has the blocks too, and dense layers take what normalisations put out. It is that
  /// of a pass, all of it; and a training pass is over once an evaluation has passed through.
  @Test(arguments: [true, false]) func wholeModel(isTraining: Bool) throws {
    let model = try network(hasBlocks: true) as Sequential<Double>
    var generator = SplitMix64(seed: 98)
    let labels = try fill(model, samples: 9, using: &generator)
    _ = model.gradients(labels: labels.span)
    if !isTraining {
      _ = try fill(model, samples: 6, using: &generator)
      model.predict { _ in }
      #expect(failure(of: { _ = try model.rfim() }) != nil)
    }
    let n = model.input.rows
    let whole = try isTraining ? model.rfim() : model.evaluationRFIM()
    #expect(whole.parts.map(\.index) == [0, 1, 2, 3, 4])
    for (k, (xhat, inputs)) in shown(model, isTraining: isTraining).enumerated() {
      let m = xhat.count / n
      for i in 0..<m {
        let channel = (0..<n).map { xhat[$0 * m + i] }
        let block = try whole.parts[2 * k + 1].rfim.block(i, i).numbers
        let (square, mean) = (channel.reduce(0) { $0 + $1 * $1 } / Double(n), channel.reduce(0, +) / Double(n))
        #expect(
          Comparison.normwise(block, [square, mean, mean, 1], tolerance: 1e-13).isAllowed,
          "layer \(k + 1), channel \(i)")
      }
      let weights = model.parameters[2 * k + 2]
      let (neurons, d) = (weights.neurons, weights.order)
      let z = Reference.gemm(a: inputs, b: weights.value.numbers, transposeB: true, m: n, n: neurons, k: d)
      let nu = k == 0 ? z.map { Reference.Activation.tanh.nu($0) } : Reference.softmax(z: z, n: n, m: neurons).nu
      for i in 0..<neurons {
        var expected = [Double](repeating: 0, count: d * d)
        for s in 0..<n {
          for j in expected.indices {
            expected[j] += nu[s * neurons + i] * inputs[s * d + j / d] * inputs[s * d + j % d] / Double(n)
          }
        }
        let block = try whole.parts[2 * k + 2].rfim.block(i, i).numbers
        #expect(Comparison.normwise(block, expected, tolerance: 1e-12).isAllowed, "layer \(k + 2), neuron \(i)")
      }
    }
  }

  /// Every optimizer and metric trains a network with normalisations; two runs are the same.
  @Test(arguments: ["sgd", "momentum", "adam", "auto", "paper", "exact", "projected", "shared"])
  func training(name: String) throws {
    let data = try SyntheticData.make(training: 2000, validation: 100, test: 100, seed: 1)
    for hasBlocks in [false, true] {
      func losses() throws -> [Double] {
        func rngd(_ metric: any Metric) throws -> any Optimizer<Float> {
          try RNGD(metric: metric, learningRate: 0.02, damping: 0.01, refreshInterval: 20, decay: .l2(1e-3))
        }
        let costs = MachineCosts(products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)
        let optimizer: any Optimizer<Float> =
          switch name {
          case "sgd": try SGD(learningRate: 0.1, decay: .l2(1e-3))
          case "momentum": try Momentum(learningRate: 0.02, decay: .l2(1e-3))
          case "adam": try Adam(learningRate: 2e-3, decay: .l2(1e-3))
          case "auto": try rngd(try AutoMetric(memoryCap: 1 << 28, costs: costs))
          case "paper": try rngd(PaperMetric())
          case "projected": try rngd(ProjectedMetric(rank: .fixed(16)))
          case "shared": try rngd(SharedMetric())
          default: try rngd(ExactMetric())
          }
        let model = try Sequential<Float>.perceptron(
          shape: [data.width, 30, 30, data.classes], activation: Relu(),
          batchNormalization: BatchNormalizationOptions(hasBlocks: hasBlocks), batchCapacity: 100)
        let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 50)
        var losses: [Double] = []
        let test = try trainer.run(epochs: 3) {
          if case .epoch(let report) = $0 { losses.append(report.training.loss) }
        }
        return losses + [test.loss]
      }
      let found = try losses()
      // (a class chosen blindly: ln 10 = 2.30)
      #expect(found[2] < found[0] && found[2] < 1.9, "\(name), blocks \(hasBlocks): \(found)")
      #expect(try losses() == found, "\(name), blocks \(hasBlocks)")
    }
  }
}
