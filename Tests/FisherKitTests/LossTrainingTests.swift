import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Training by each loss ends where plain computations say: least squares, or the maximum of a likelihood by Newton's method.
@Suite struct LossTrainingTests {
  private static let n = 120
  private static let inputs = 4

  /// Samples, and targets that are drawn from a linear model of them by each loss's own distribution.
  private struct Problem {
    let x: [Double]
    let targets: [Double]
    let outputs: Int
    let data: DataSplit

    init(outputs: Int, seed: UInt64 = 5, _ draw: (_ z: Double, _ generator: inout SplitMix64) -> Double) throws {
      var generator = SplitMix64(seed: seed)
      let (n, d) = (LossTrainingTests.n, LossTrainingTests.inputs + 1)
      let features = generator.normal(n * (d - 1)).map { Float($0) }
      x = (0..<n).flatMap { (s: Int) -> [Double] in
        features[(s * (d - 1))..<((s + 1) * (d - 1))].map { Double($0) } + [1]
      }
      let w = generator.normal(outputs * d).map { 0.7 * $0 }
      let z = Reference.gemm(a: x, b: w, transposeB: true, m: n, n: outputs, k: d)
      let drawn = z.map { Float(draw($0, &generator)) }
      (targets, self.outputs) = (drawn.map(Double.init), outputs)
      let set = Dataset(features: .floats(features), targets: .numbers(drawn, width: outputs), width: d - 1)
      // (the last sample is for validation)
      data = try DataSplit(name: "linear", samples: set, validationCount: 1, test: set)
    }

    /// The samples that are trained on.
    var training: Int { LossTrainingTests.n - 1 }

    /// Newton's method from 0 for Σ ℓ(z, t) with z = Wx̃, output by output: W (m,d), and the mean loss there.
    func optimum(
      steps: Int, slope: (Double, Double) -> Double, curvature: (Double) -> Double, loss: (Double, Double) -> Double
    ) -> (w: [Double], loss: Double) {
      let d = LossTrainingTests.inputs + 1
      var (weights, total): ([Double], Double) = ([], 0)
      for i in 0..<outputs {
        var w = [Double](repeating: 0, count: d)
        for _ in 0..<steps {
          var (gradient, hessian) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d * d))
          for s in 0..<training {
            let row = Array(x[s * d..<(s + 1) * d])
            let z = zip(row, w).reduce(0) { $0 + $1.0 * $1.1 }
            for a in 0..<d {
              gradient[a] += slope(z, targets[s * outputs + i]) * row[a]
              for b in 0..<d { hessian[a * d + b] += curvature(z) * row[a] * row[b] }
            }
          }
          let step = Reference.gemm(a: Reference.inverse(hessian, d: d), b: gradient, m: d, n: 1, k: d)
          w = zip(w, step).map { $0 - $1 }
        }
        for s in 0..<training {
          total += loss(zip(x[s * d..<(s + 1) * d], w).reduce(0) { $0 + $1.0 * $1.1 }, targets[s * outputs + i])
        }
        weights += w
      }
      return (weights, total / Double(training))
    }
  }

  private func squared() throws -> (Problem, optimum: (w: [Double], loss: Double)) {
    let problem = try Problem(outputs: 3) { z, generator in z + 0.5 * generator.normal(1)[0] }
    // (Newton's first step is the least-squares solution)
    return (
      problem, problem.optimum(steps: 1, slope: { $0 - $1 }, curvature: { _ in 1 }, loss: { pow($0 - $1, 2) / 2 })
    )
  }

  private func bernoulli() throws -> (Problem, optimum: (w: [Double], loss: Double)) {
    let problem = try Problem(outputs: 2) { z, generator in generator.unit() < 1 / (1 + exp(-z)) ? 1 : 0 }
    let optimum = problem.optimum(
      steps: 20, slope: { 1 / (1 + exp(-$0)) - $1 }, curvature: { 1 / (2 + exp($0) + exp(-$0)) },
      loss: { log(1 + exp($0)) - $1 * $0 })
    return (problem, optimum)
  }

  private func poisson() throws -> (Problem, optimum: (w: [Double], loss: Double)) {
    let problem = try Problem(outputs: 1) { z, generator in
      var (count, product) = (0.0, generator.unit())
      while product > exp(-exp(z)) { (count, product) = (count + 1, product * generator.unit()) }
      return count
    }
    return (
      problem, problem.optimum(steps: 30, slope: { exp($0) - $1 }, curvature: { exp($0) }, loss: { exp($0) - $1 * $0 })
    )
  }

  private func train<S: KernelScalar>(
    _ loss: any Loss, _ problem: Problem, _ optimizer: any Optimizer<S>, batch: Int? = nil, start: [Double]? = nil,
    epochs: Int
  ) throws -> (w: [Double], loss: Double) {
    let model = try Sequential<S>.perceptron(
      shape: [Self.inputs, problem.outputs], activation: Linear(), loss: loss, batchCapacity: Self.n, seed: 3)
    if let start { model.parameters[0].value.assign(start.map { S($0) }) }
    let trainer = try Trainer(
      model: model, optimizer: optimizer, data: problem.data, batchSize: batch ?? problem.training, loss: loss)
    try trainer.run(epochs: epochs)
    return (model.parameters[0].value.numbers, try trainer.evaluate(problem.data.samples, problem.data.training).loss)
  }

  /// Without damping and bounds, a step of rate 1 with ν = 1 is Newton's: from anywhere to the least-squares solution.
  @Test(arguments: [ExactMetric() as any Metric, SharedMetric()]) func oneStep(metric: any Metric) throws {
    let (problem, optimum) = try squared()
    let found = try train(
      try SquaredError(), problem,
      try RNGD<Double>(metric: metric, learningRate: 1, damping: 0, refreshInterval: 1, trustRegion: .off), epochs: 1)
    let comparison = Comparison.normwise(found.w, optimum.w, tolerance: 1e-10)
    #expect(comparison.isAllowed, "\(metric): \(comparison)")
    #expect(abs(found.loss - optimum.loss) < 1e-10)
    // In units of σ the loss is another, and the solution the same.
    let scaled = try train(
      try SquaredError(sigma: 0.1), problem,
      try RNGD<Double>(metric: ExactMetric(), learningRate: 1, damping: 0, refreshInterval: 1, trustRegion: .off),
      epochs: 1)
    #expect(Comparison.normwise(scaled.w, optimum.w, tolerance: 1e-10).isAllowed)
    #expect(abs(scaled.loss / 100 - optimum.loss) < 1e-10)
  }

  /// Steps of rate 1 are Fisher's scoring, which is Newton's method for these outputs, and doubles the digits at each step.
  @Test func scoring() throws {
    for (loss, (problem, optimum)) in [
      (BernoulliCrossEntropy(), try bernoulli()), (Poisson(), try poisson()),
    ] as [(any Loss, (Problem, optimum: (w: [Double], loss: Double)))] {
      let found = try train(
        loss, problem,
        try RNGD<Double>(
          metric: ExactMetric(windowSamples: problem.training), learningRate: 1, damping: 0, refreshInterval: 1,
          trustRegion: .off),
        start: optimum.w.map { $0 + 0.1 }, epochs: 6)
      let comparison = Comparison.normwise(found.w, optimum.w, tolerance: 1e-9)
      #expect(comparison.isAllowed, "\(loss): \(comparison)")
      #expect(abs(found.loss - optimum.loss) < 1e-12, "\(loss)")
    }
  }

  /// By long runs of any optimizer, in single precision too; by small steps of the usual settings.
  @Test(arguments: 0...2) func longRuns(index: Int) throws {
    let (loss, (problem, optimum)) =
      switch index {
      case 0: (try SquaredError(), try squared())
      case 1: (BernoulliCrossEntropy(), try bernoulli())
      default: (Poisson(), try poisson())
      } as (any Loss, (Problem, optimum: (w: [Double], loss: Double)))
    // (a mean of e^z has no bound on its slope, where steps of a fixed size are lost)
    let steps: [(any Optimizer<Double>, Int?, Int, Double)] =
      index == 2 ? [] : [(try SGD<Double>(learningRate: 0.2), nil, 2000, 1e-8)]
    for (optimizer, batch, epochs, tolerance) in steps + [
      (try Adam<Double>(learningRate: 0.01), nil, 3000, 1e-6), (try RNGD<Double>(learningRate: 0.2), nil, 400, 1e-5),
      (try RNGD<Double>(learningRate: 0.05), 17, 60, 0.02),
    ] {
      let found = try train(loss, problem, optimizer, batch: batch, epochs: epochs)
      #expect(
        found.loss - optimum.loss < tolerance && found.loss - optimum.loss > -1e-12,
        "\(loss) by \(optimizer.name): \(found.loss), at best \(optimum.loss)")
    }
    let single = try train(loss, problem, try RNGD<Float>(learningRate: 0.2), epochs: 400)
    #expect(abs(single.loss - optimum.loss) < 2e-5, "\(loss) in single precision: \(single.loss), \(optimum.loss)")
  }

  /// A network of one's own beside the built-in one of the same weights: they stay the same.
  @Test(arguments: 0...2) func anotherNetwork(index: Int) throws {
    let (problem, _) = try squared()
    let loss = try SquaredError()
    let models: [any Network<Double>] = [
      try Sequential<Double>.perceptron(
        shape: [Self.inputs, problem.outputs], activation: Linear(), loss: loss, batchCapacity: Self.n, seed: 3),
      try HandMadeLinear(inputs: Self.inputs, outputs: problem.outputs, capacity: Self.n),
    ]
    let start = models[0].parameters[0].value.elements
    models[1].parameters[0].value.assign(start)
    var scores: [[Double]] = []
    for model in models {
      let optimizer: any Optimizer<Double> =
        switch index {
        case 0: try SGD(learningRate: 0.05, decay: .l2(1e-3))
        case 1: try Adam(learningRate: 0.01)
        default: try RNGD(metric: ExactMetric(), decay: .l2(1e-3))
        }
      let trainer = try Trainer(
        model: model, optimizer: optimizer, data: problem.data, batchSize: 25, loss: loss,
        measures: [RootMeanSquare()], stopping: EarlyStopping(patience: 3), seed: 2)
      var found: [Double] = []
      let test = try trainer.run(epochs: 4) {
        if case .epoch(let report) = $0 {
          found += [report.training.loss, report.validation.loss, report.measures["rms"] ?? .nan]
        }
      }
      scores.append(found + [test.loss])
    }
    #expect(models[0].parameters[0].value.elements != start && scores[0].count == 13)
    #expect(Comparison.normwise(scores[1], scores[0], tolerance: 1e-11).isAllowed, "\(scores)")
    let (built, own) = (models[0].parameters[0].value.numbers, models[1].parameters[0].value.numbers)
    #expect(Comparison.normwise(own, built, tolerance: 1e-11).isAllowed)
  }

  @Test func targetsThatDoNotFit() throws {
    let (problem, _) = try squared()
    let model = try Sequential<Double>.perceptron(
      shape: [Self.inputs, problem.outputs], activation: Linear(), batchCapacity: Self.n)
    func refusal(_ loss: any Loss) -> DataError? {
      failure(of: {
        _ = try Trainer(model: model, optimizer: try SGD(), data: problem.data, batchSize: 9, loss: loss)
      }) as? DataError
    }
    #expect(
      refusal(SoftmaxCrossEntropy())
        == DataError("linear", expected: "classes for softmax cross-entropy", found: "numbers"))
    #expect(refusal(BernoulliCrossEntropy())?.expected == "numbers from 0 to 1 for Bernoulli cross-entropy")
    #expect(refusal(Poisson())?.expected == "3 counts a sample")
    let error = failure(of: {
      _ = try model.evaluate(problem.data.test, 0..<9, loss: BernoulliCrossEntropy(), name: "held")
    })
    #expect((error as? DataError)?.place == "held")
  }
}
