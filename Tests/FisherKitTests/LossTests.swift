import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Values and derivatives of losses against plain formulas in double precision, and against central differences.
@Suite struct LossTests {
  /// As the network's precision holds them.
  private func rounded<S: KernelScalar>(_ numbers: [Double], _: S.Type) -> [Double] { numbers.map { Double(S($0)) } }

  private func precision<S: KernelScalar>(_: S.Type) -> Reference.Precision { S.self == Float.self ? .float : .double }

  /// Both forms of a loss, whose values are the same to the last digit.
  private func judge<S: KernelScalar>(
    _ loss: any Loss, _ z: [Double], _ targets: TargetBatch<S>, rows: Int, columns: Int, scale: Double
  ) throws -> (LossSum, delta: [Double]) {
    let outputs = try Matrix<S>.make(z, rows: rows, columns: columns)
    var delta = try Matrix<S>(rows: rows, columns: columns)
    let sum = loss.sum(outputs, targets: targets, delta: &delta, scale: scale)
    #expect(loss.sum(outputs, targets: targets) == sum, "\(loss)")
    return (sum, delta.numbers)
  }

  private func compare<S: KernelScalar>(
    _ loss: any Loss, _: S.Type, _ found: (LossSum, delta: [Double]), _ expected: Reference.Loss,
    hasAccuracy: Bool = true
  ) {
    let tolerance = Tolerance.crossEntropy.relative(precision(S.self))
    let (value, delta) = (
      Comparison.elementwise([found.0.loss], [expected.loss], tolerance: tolerance),
      Comparison.normwise(found.delta, expected.delta, tolerance: tolerance)
    )
    #expect(value.isAllowed && delta.isAllowed, "\(loss) in \(S.self): loss \(value); delta \(delta)")
    #expect(found.0.correct == (hasAccuracy ? expected.correct : nil), "\(loss) in \(S.self)")
  }

  /// Outputs around 0 and far out, 1e4 included; targets hard, soft, and at the edge of what is right.
  private func outputs(_ count: Int, _ generator: inout SplitMix64) -> [Double] {
    let far = [1e4, -1e4, 0, 40, -40, 745, -745, 1e-8, -0.0, 88.8, -104]
    return generator.normal(count).enumerated().map { i, z in i % 3 == 0 ? far[i / 3 % far.count] : 3 * z }
  }

  @Test(arguments: [1, 2, 7, 33]) func bernoulli(m: Int) throws {
    try bernoulli(Double.self, m: m)
    try bernoulli(Float.self, m: m)
  }

  private func bernoulli<S: KernelScalar>(_: S.Type, m: Int) throws {
    var generator = SplitMix64(seed: UInt64(m))
    for n in [1, 13] {
      let z = rounded(outputs(n * m, &generator), S.self)
      let soft = generator.uniform(n * m, in: 0...1)
      let t = rounded(soft.indices.map { [0, 1, soft[$0], 0.5][$0 % 4] }, S.self)
      let targets = TargetBatch(numbers: try Matrix<S>.make(t, rows: n, columns: m))
      for scale in [1, 0.125, 1.0 / 13] {
        let found = try judge(BernoulliCrossEntropy(), z, targets, rows: n, columns: m, scale: scale)
        compare(
          BernoulliCrossEntropy(), S.self, found,
          Reference.bernoulliCrossEntropy(z: z, t: t, n: n, m: m, scale: scale))
        #expect(found.0.loss.isFinite && found.delta.allSatisfy(\.isFinite))
      }
    }
  }

  @Test(arguments: [1, 3, 16], [1, 0.25, 30]) func squared(m: Int, sigma: Double) throws {
    try squared(Double.self, m: m, sigma: sigma)
    try squared(Float.self, m: m, sigma: sigma)
  }

  private func squared<S: KernelScalar>(_: S.Type, m: Int, sigma: Double) throws {
    var generator = SplitMix64(seed: UInt64(m))
    for n in [1, 13] {
      let z = rounded(outputs(n * m, &generator), S.self)
      let t = rounded(generator.normal(n * m).map { 10 * $0 }, S.self)
      let targets = TargetBatch(numbers: try Matrix<S>.make(t, rows: n, columns: m))
      let loss = try SquaredError(sigma: sigma)
      let found = try judge(loss, z, targets, rows: n, columns: m, scale: 1 / Double(n))
      compare(
        loss, S.self, found, Reference.squaredError(z: z, t: t, sigma: sigma, scale: 1 / Double(n)), hasAccuracy: false)
    }
  }

  @Test(arguments: [2, 10]) func softmax(m: Int) throws {
    try softmax(Double.self, m: m)
    try softmax(Float.self, m: m)
  }

  private func softmax<S: KernelScalar>(_: S.Type, m: Int) throws {
    var generator = SplitMix64(seed: UInt64(m))
    let n = 23
    let z = rounded(outputs(n * m, &generator), S.self)
    let labels = generator.labels(n: n, m: m)
    let found = try judge(
      SoftmaxCrossEntropy(), z, try TargetBatch<S>(classes: labels), rows: n, columns: m, scale: 1 / Double(n))
    let reference = Reference.crossEntropy(z: z, labels: labels, n: n, m: m, scale: 1 / Double(n))
    var expected = Reference.Loss()
    (expected.loss, expected.correct, expected.delta) = (reference.loss, reference.correct, reference.delta)
    compare(SoftmaxCrossEntropy(), S.self, found, expected)
  }

  /// Known by hand.
  @Test func byHand() throws {
    let labels = TargetBatch(numbers: try Matrix<Double>(rows: [[1, 0], [0, 0], [0.5, 1], [0.6, 0.4]]))
    let z = [2.0, -1, 0, 0, -3, 0.1, 1, 1]
    let (sum, delta) = try judge(BernoulliCrossEntropy(), z, labels, rows: 4, columns: 2, scale: 2)
    // (an output of 0 is no label that applies, and neither is a target of ½)
    #expect(sum.correct == 3)
    #expect(delta[2] == 1 && delta[3] == 1)
    let first = log(1 + exp(-2)) + log(1 + exp(-1)) + 2 * log(2.0)
    let third = -0.5 * log(1 / (1 + exp(3)) / (1 + exp(-3))) + log(1 + exp(-0.1))
    let last = log(1 + exp(1)) - 0.6 + log(1 + exp(1)) - 0.4
    #expect(abs(sum.loss - (first + third + last)) < 1e-14)

    let numbers = TargetBatch(numbers: try Matrix<Double>(rows: [[1], [-2]]))
    let squares = try judge(try SquaredError(sigma: 2), [3, -1], numbers, rows: 2, columns: 1, scale: 0.5)
    #expect(squares.0 == LossSum(loss: (4 + 1) / 8) && squares.delta == [0.25, 0.125])
    let tie = try judge(
      SoftmaxCrossEntropy(), [1, 1, 0, 0], try TargetBatch<Double>(classes: [0, 1]), rows: 2, columns: 2, scale: 1)
    #expect(tie.0.correct == 1 && abs(tie.0.loss - 2 * log(2)) < 1e-15)
  }

  /// Through a network: the score is the mean over samples, and the gradients are what differences say.
  @Test(arguments: 0...2) func throughANetwork(index: Int) throws {
    let loss = try [SoftmaxCrossEntropy(), BernoulliCrossEntropy(), SquaredError(sigma: 0.7)][index] as any Loss
    let (n, m) = (9, 4)
    let model = try Sequential<Double>.perceptron(
      shape: [5, 7, m], activation: Tanh(), loss: loss, batchCapacity: n, seed: 2)
    var generator = SplitMix64(seed: 3)
    let labels = try fill(model, samples: n, using: &generator)
    let numbers = generator.uniform(n * m, in: 0...1)
    let targets =
      index == 0
      ? try TargetBatch<Double>(classes: labels)
      : TargetBatch(numbers: try Matrix<Double>.make(numbers, rows: n, columns: m))
    let score = model.gradients(loss, targets: targets)
    func mean() -> Double { model.evaluate(loss, targets: targets).loss / Double(n) }
    #expect(abs(score.loss - mean()) < 1e-14 && (score.accuracy == nil) == (index == 2))
    let z = model.predict { $0.numbers }
    let expected =
      switch index {
      case 0: Reference.crossEntropy(z: z, labels: labels, n: n, m: m, scale: 1).loss
      case 1: Reference.bernoulliCrossEntropy(z: z, t: numbers, n: n, m: m, scale: 1).loss
      default: Reference.squaredError(z: z, t: numbers, sigma: 0.7, scale: 1).loss
      }
    #expect(abs(score.loss - expected / Double(n)) < 1e-14)
    let h = 1e-6
    for parameter in model.parameters {
      for i in 0..<parameter.neurons {
        for j in 0..<parameter.order {
          let weight = parameter.value[i, j]
          parameter.value[i, j] = weight + h
          let above = mean()
          parameter.value[i, j] = weight - h
          let difference = (above - mean()) / (2 * h)
          parameter.value[i, j] = weight
          let found = parameter.gradient[i, j]
          #expect(abs(found - difference) < 2e-9, "\(loss), \(parameter.name) (\(i), \(j)): \(found), \(difference)")
        }
      }
    }
  }

  /// Of several positions each row has a target; the loss is the mean over samples, and what is right is counted by row.
  @Test func positions() throws {
    let (n, positions, m) = (5, 3, 4)
    var generator = SeededGenerator(seed: 1, stream: .initialisation)
    let layer = try Dense<Double>(
      inputs: 2, outputs: m, activation: Linear(), subsystem: SoftmaxLayer(), positions: positions, using: &generator)
    let model = try Sequential([layer], batchCapacity: n)
    var numbers = SplitMix64(seed: 4)
    let x = numbers.samples(n: n * positions, d: 3)
    model.input.assign(x)
    let labels = numbers.labels(n: n * positions, m: m)
    let targets = try TargetBatch<Double>(classes: labels)
    let score = model.gradients(SoftmaxCrossEntropy(), targets: targets)
    let z = model.predict { $0.numbers }
    let expected = Reference.crossEntropy(z: z, labels: labels, n: n * positions, m: m, scale: 1 / Double(n))
    #expect(abs(score.loss - expected.loss / Double(n)) < 1e-14)
    #expect(score.accuracy == Double(expected.correct) / Double(n * positions))
    let gradient = Reference.gemm(
      a: expected.delta, transposeA: true, b: x, m: m, n: 3, k: n * positions)
    let comparison = Comparison.normwise(layer.weights.gradient.numbers, gradient, tolerance: 1e-14)
    #expect(comparison.isAllowed, "\(comparison)")
    // A data set has one row for each sample: its trainer refuses such a network.
    let set = Dataset(features: .floats([1, 2, 3, 4]), labels: [0, 1], width: 2, classes: 2)
    let data = try DataSplit(name: "d", samples: set, validationCount: 1, test: set)
    let error = failure(of: { _ = try Trainer(model: model, optimizer: try SGD(), data: data, batchSize: 1) })
    #expect("\(error as Any)".contains("a row for each sample in and out, as a Dataset has them"), "\(error as Any)")
    #expect("\(error as Any)".contains("3 × 2 to 3 × 4"), "\(error as Any)")
  }

  @Test func refusals() throws {
    let squared = try SquaredError(sigma: 2)
    for (loss, targets, expected, found) in [
      (SoftmaxCrossEntropy(), .numbers([1, 0, 1], width: 3), "classes for softmax cross-entropy", "numbers"),
      (SoftmaxCrossEntropy(), .classes([0, 3], count: 4), "at most 3 classes, the network's outputs", "4"),
      (BernoulliCrossEntropy(), .classes([0, 1], count: 2), "numbers for Bernoulli cross-entropy", "classes"),
      (BernoulliCrossEntropy(), .numbers([1, 0], width: 2), "3 numbers a sample, the network's outputs", "2"),
      (BernoulliCrossEntropy(), .numbers([1, 0, .nan], width: 3), "numbers from 0 to 1 for Bernoulli", "nan"),
      (BernoulliCrossEntropy(), .numbers([1, -0.01, 0], width: 3), "numbers from 0 to 1", "-0.01"),
      (BernoulliCrossEntropy(), .numbers([1, 0, 1.5], width: 3), "numbers from 0 to 1", "1.5"),
      (squared, .classes([0, 1], count: 2), "numbers for squared error (σ=2.0)", "classes"),
      (squared, .numbers([1, 2, 3, 4], width: 4), "3 numbers a sample", "4"),
      (squared, .numbers([1, .nan, 3], width: 3), "finite numbers for squared error", "nan"),
      (squared, .numbers([1, 2, -.infinity], width: 3), "finite numbers", "-inf"),
    ] as [(any Loss, Targets, String, String)] {
      guard
        case .invalidArgument("targets", let words, found)? = failure(of: { try loss.validate(targets, outputs: 3) })
          as? FisherError
      else {
        Issue.record("\(loss) of \(targets): expected a refusal")
        continue
      }
      #expect(words.contains(expected), "\(loss) of \(targets): \(words)")
    }
    for sigma in [0, -1, .nan, .infinity, 1e-16] {
      #expect("\(failure(of: { _ = try SquaredError(sigma: sigma) }) as Any)".contains("sigma"), "\(sigma)")
    }
    try SoftmaxCrossEntropy().validate(.classes([0, 1], count: 2), outputs: 3)
    try BernoulliCrossEntropy().validate(.numbers([0, 1, 0.5], width: 3), outputs: 3)
  }
}
