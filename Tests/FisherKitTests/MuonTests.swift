import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Muon against its formulas, in plain loops.
@Suite struct MuonTests {
  private typealias Rows = [[Double]]

  private func orthogonalized(_ g: Rows) -> Rows {
    let columns = g.first?.count ?? 0
    return Reference.orthogonalFactor(
      g.flatMap { $0 }, rows: g.count, columns: columns,
      coefficients: Array(repeating: [3.4445, -4.7750, 2.0315], count: 5)
    ).rows(of: columns)
  }

  @Test(arguments: [
    (1, 1), (1, 9), (9, 1), (7, 7), (7, 8), (8, 7), (5, 30), (30, 5), (33, 40), (40, 33), (20, 31), (40, 70), (70, 40),
  ])
  func newtonSchulz(rows: Int, columns: Int) throws {
    var generator = SplitMix64(seed: UInt64(rows * 100 + columns))
    let numbers = generator.uniform(rows * columns)
    let expected = orthogonalized(numbers.rows(of: columns)).flatMap { $0 }
    var g = try Matrix<Double>.make(numbers, rows: rows, columns: columns)
    let method = try NewtonSchulz<Double>(shapes: [(rows, columns)])
    method.orthogonalize(&g)
    #expect(Comparison.normwise(g.numbers, expected, tolerance: 1e-11).isAllowed, "\(rows) × \(columns)")
    var single = try Matrix<Float>.make(numbers, rows: rows, columns: columns)
    try NewtonSchulz<Float>(shapes: [(rows, columns)]).orthogonalize(&single)
    #expect(Comparison.normwise(single.numbers, expected, tolerance: 2e-4).isAllowed, "\(rows) × \(columns) of floats")
    // (another one by the same room)
    var again = try Matrix<Double>.make(numbers.map { 3 * $0 }, rows: rows, columns: columns)
    method.orthogonalize(&again)
    #expect(Comparison.normwise(again.numbers, expected, tolerance: 1e-6).isAllowed)
    var zero = try Matrix<Double>(rows: rows, columns: columns)
    method.orthogonalize(&zero)
    #expect(zero.numbers.allSatisfy { $0 == 0 })
  }

  /// The singular values of what comes out of a matrix with those of 1 to 0.01 are between 0.6 and 1.25.
  @Test func singularValues() throws {
    var generator = SplitMix64(seed: 4)
    var g = try Matrix<Double>.make(generator.uniform(24 * 60), rows: 24, columns: 60)
    try NewtonSchulz<Double>(shapes: [(24, 60)]).orthogonalize(&g)
    var gram = try Matrix<Double>(rows: 24, columns: 24)
    gram.setToProduct(g, .none, g, .transposed)
    let values = try gram.symmetricEigenvalues().map { $0.squareRoot() }
    #expect(values.allSatisfy { $0 > 0.6 && $0 < 1.25 }, "\(values)")
  }

  /// Steps on a network with a normalisation: orthogonal factors for weights, AdamW for biases, scales and shifts.
  @Test(arguments: [true, false]) func steps(isNesterov: Bool) throws {
    let decay = WeightDecay(coupled: 0.02, decoupled: 0.3, includesBiases: isNesterov)
    let (rate, restRate, beta) = (0.07, 0.011, 0.8)
    let (model, _) = try smallNetwork(Double.self)
    let optimizer = try Muon<Double>(
      learningRate: rate, momentum: beta, isNesterov: isNesterov, scale: isNesterov ? .spectral : .rootMeanSquare,
      restLearningRate: restRate, decay: decay)
    try optimizer.prepare(for: model, batchSize: 9)
    var generator = SplitMix64(seed: 8)
    var means: [Rows] = model.parameters.map { p in
      Array(repeating: Array(repeating: 0, count: p.order - 1), count: p.neurons)
    }
    var moments: [[(Double, Double)]] = model.parameters.map { Array(repeating: (0, 0), count: $0.neurons) }
    for step in 1...4 {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      var expected: [Rows] = []
      for (k, parameter) in model.parameters.enumerated() {
        var w = parameter.value.elements
        let inputs = parameter.order - 1
        var g = parameter.gradient.elements
        for i in g.indices {
          for j in 0..<inputs { g[i][j] += 0.02 * w[i][j] }
          if isNesterov { g[i][inputs] += 0.02 * w[i][inputs] }
        }
        means[k] = means[k].indices.map { i in (0..<inputs).map { beta * means[k][i][$0] + (1 - beta) * g[i][$0] } }
        let seen = means[k].indices.map { i in
          (0..<inputs).map { isNesterov ? beta * means[k][i][$0] + (1 - beta) * g[i][$0] : means[k][i][$0] }
        }
        let o = orthogonalized(seen)
        let (m, n) = (Double(w.count), Double(inputs))
        let scale = isNesterov ? max(1, m / n).squareRoot() : 0.2 * max(m, n).squareRoot()
        for i in w.indices {
          for j in 0..<inputs { w[i][j] = (1 - rate * 0.3) * w[i][j] - rate * scale * o[i][j] }
          let b = g[i][inputs]
          moments[k][i] = (0.9 * moments[k][i].0 + 0.1 * b, 0.999 * moments[k][i].1 + 0.001 * b * b)
          var (c1, c2) = (1.0, 1.0)
          for _ in 0..<step { (c1, c2) = (c1 * 0.9, c2 * 0.999) }
          if isNesterov { w[i][inputs] *= 1 - restRate * 0.3 }
          w[i][inputs] -=
            restRate * (moments[k][i].0 / (1 - c1)) / ((moments[k][i].1 / (1 - c2)).squareRoot() + 1e-8)
        }
        expected.append(w)
      }
      #expect(try optimizer.step(model).isEmpty)
      for (parameter, expected) in zip(model.parameters, expected) {
        let comparison = Comparison.normwise(parameter.value.numbers, expected.flatMap { $0 }, tolerance: 1e-11)
        #expect(comparison.isAllowed, "step \(step), \(parameter.name): \(comparison)")
      }
    }
  }

  /// Scales and shifts of a normalisation take AdamW's steps, the same as by Adam.
  @Test func normalisations() throws {
    let model = try Sequential<Double>.perceptron(
      shape: [6, 5, 4], activation: Tanh(), batchNormalization: BatchNormalizationOptions(), batchCapacity: 9, seed: 3)
    let other = try Sequential<Double>.perceptron(
      shape: [6, 5, 4], activation: Tanh(), batchNormalization: BatchNormalizationOptions(), batchCapacity: 9, seed: 3)
    let muon = try Muon<Double>(restLearningRate: 0.01), adam = try Adam<Double>(learningRate: 0.01)
    try muon.prepare(for: model, batchSize: 9)
    try adam.prepare(for: other, batchSize: 9)
    var generator = SplitMix64(seed: 1)
    let labels = try fill(model, samples: 9, using: &generator)
    other.input.copy(from: model.input)
    _ = model.gradients(labels: labels.span)
    _ = other.gradients(labels: labels.span)
    _ = try muon.step(model)
    _ = try adam.step(other)
    let index = try #require(model.parameters.firstIndex { !$0.isDecayed })
    #expect(model.parameters[index].value.numbers == other.parameters[index].value.numbers)
    #expect(model.parameters[0].value.numbers != other.parameters[0].value.numbers)
  }

  @Test func refusals() throws {
    #expect(throws: FisherError.self) { try Muon<Double>(learningRate: 0) }
    #expect(throws: FisherError.self) { try Muon<Double>(momentum: 1) }
    #expect(throws: FisherError.self) { try Muon<Double>(restLearningRate: .nan) }
    #expect(throws: FisherError.self) { try Muon<Double>(decay: .decoupled(-1)) }
  }
}

extension [Double] {
  fileprivate func rows(of columns: Int) -> [[Double]] {
    stride(from: 0, to: count, by: columns).map { Array(self[$0..<($0 + columns)]) }
  }
}

extension NewtonSchulz {
  fileprivate func orthogonalize(_ matrix: inout Matrix<Scalar>) {
    place(&matrix, at: 0)
    orthogonalize()
  }
}
