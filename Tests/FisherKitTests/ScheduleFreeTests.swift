import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Steps whose gradients are taken between their ends and the average of these.
@Suite struct ScheduleFreeTests {
  private static let data = try! SyntheticData.make(training: 90, validation: 30, test: 20, seed: 5)

  private func model() throws -> Sequential<Double> {
    try Sequential<Double>.perceptron(
      shape: [Self.data.width, 8, Self.data.classes], activation: Tanh(), batchCapacity: 30, seed: 2)
  }

  /// The recursion by itself, with gradients of a model that holds y, for rates that rise and fall.
  @Test(arguments: [0, 0.9]) func recursion(beta: Double) throws {
    let (model, reference) = (try model(), try model())
    let rates = [0.01, 0.1, 0.3, 0.2, 0.3, 0.05]
    let optimizer = try ScheduleFree(try SGD<Double>(learningRate: 1), beta: beta)
    try optimizer.prepare(for: model, batchSize: 30)
    let labels = (0..<30).map { Int32($0 % Self.data.classes) }
    var random = SplitMix64(seed: 7)
    let features = random.normal(30 * Self.data.width)
    for one in [model, reference] { one.input.assign(features, bias: true) }

    var z = reference.parameters.map { $0.value.numbers }
    var x = z
    var weight = 0.0
    for (t, rate) in rates.enumerated() {
      optimizer.learningRate = rate
      _ = model.gradients(labels: labels.span)
      _ = try optimizer.step(model)

      _ = reference.gradients(labels: labels.span)
      let largest = rates[...t].max()!
      weight += largest * largest
      let share = largest * largest / weight
      for (i, parameter) in reference.parameters.enumerated() {
        z[i] = zip(z[i], parameter.gradient.numbers).map { $0 - rate * $1 }
        x[i] = zip(x[i], z[i]).map { (1 - share) * $0 + share * $1 }
        let y = zip(x[i], z[i]).map { beta * $0 + (1 - beta) * $1 }
        parameter.value.copy(from: try Matrix<Double>.make(y, rows: parameter.neurons, columns: parameter.order))
        let comparison = Comparison.normwise(model.parameters[i].value.numbers, y, tolerance: 1e-13)
        #expect(comparison.isAllowed, "step \(t), y of \(parameter.name): \(comparison)")
      }
      let trained = model.parameters.map { $0.value.numbers }
      optimizer.beginEvaluation(model)
      for (parameter, expected) in zip(model.parameters, x) {
        let comparison = Comparison.normwise(parameter.value.numbers, expected, tolerance: 1e-13)
        #expect(comparison.isAllowed, "step \(t), x of \(parameter.name): \(comparison)")
      }
      optimizer.beginEvaluation(model)
      optimizer.endEvaluation(model)
      optimizer.endEvaluation(model)
      #expect(model.parameters.map { $0.value.numbers } == trained)
    }
  }

  /// A trainer evaluates and keeps the average, and evaluation changes nothing of what is trained.
  @Test func evaluated() throws {
    func run(every: Int?) throws -> (losses: [Double], kept: [[Double]]) {
      let model = try model()
      let trainer = try Trainer(
        model: model, optimizer: try ScheduleFree(try RNGD<Double>(metric: ExactMetric(), learningRate: 0.05)),
        data: Self.data, batchSize: 10)
      trainer.stepsBetweenEvaluations = every
      var losses: [Double] = []
      try trainer.run(epochs: 3) { if case .epoch(let report) = $0 { losses.append(report.training.loss) } }
      return (losses, model.parameters.map { $0.value.numbers })
    }
    let (plain, often) = (try run(every: nil), try run(every: 1))
    #expect(plain.losses == often.losses && plain.kept == often.kept)
    #expect(plain.losses[2] < plain.losses[0])
  }

  /// What is frozen stays, to the last digit.
  @Test func frozen() throws {
    let model = try model()
    let before = model.parameters.map { $0.value.numbers }
    let groups = try OptimizerGroups<Double>([
      ParameterGroup(.named("layer 2"), optimizer: nil), ParameterGroup(.all, optimizer: try SGD(learningRate: 0.1)),
    ])
    let trainer = try Trainer(
      model: model, optimizer: try ScheduleFree(groups, beta: 0.7), data: Self.data, batchSize: 10)
    try trainer.run(epochs: 2)
    let after = model.parameters.map { $0.value.numbers }
    #expect(after[1] == before[1] && after[0] != before[0])
  }

  /// After weights went back all three begin with them.
  @Test func beginsAnew() throws {
    let model = try model()
    let optimizer = try ScheduleFree(try SGD<Double>(learningRate: 0.1))
    try optimizer.prepare(for: model, batchSize: 30)
    let good = model.parameters.map { $0.value.numbers }
    for parameter in model.parameters {
      parameter.value.fill(with: .nan)
      parameter.gradient.setToZero()
    }
    _ = try optimizer.step(model)
    for (parameter, good) in zip(model.parameters, good) {
      parameter.value.copy(from: try Matrix<Double>.make(good, rows: parameter.neurons, columns: parameter.order))
    }
    optimizer.restart()
    _ = try optimizer.step(model)
    optimizer.beginEvaluation(model)
    #expect(model.parameters.map { $0.value.numbers } == good)
  }

  @Test func refusals() throws {
    for beta in [-0.1, 1, .nan] {
      #expect(throws: FisherError.self) { try ScheduleFree(try SGD<Double>(learningRate: 0.1), beta: beta) }
    }
    let adaptive = try RNGD<Double>(damping: .adaptive(from: 0.1))
    #expect {
      try ScheduleFree(try ClippedGradients(adaptive, norm: 1))
    } throws: { "\($0)".contains("damping that adapts") }
  }
}
