import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Σ σ/(σ + λ) of neurons' blocks as tr Ĝ(Ĝ + λI)⁻¹, by Gaussian elimination: no eigenvalue is computed.
@Suite struct EffectiveDimensionTests {
  private let shape = [5, 7, 11, 4]

  private func dimension(_ block: [Double], order: Int, lambda: Double) -> Double {
    (0..<order).reduce(0) { sum, j in
      let column = (0..<order).map { block[$0 * order + j] }
      return sum + eliminate(block, column, damping: lambda)[j]
    }
  }

  /// The mean over neurons evenly taken: of 7 by threes 0, 2 and 4, of 11 0, 3 and 7; or over all where more are asked for.
  @Test(arguments: [(3, [[0, 2, 4], [0, 3, 7]]), (100, [Array(0..<7), Array(0..<11)]), (1, [[0], [0]])])
  func againstElimination(neurons: Int, places: [[Int]]) throws {
    let (model, _) = try smallNetwork(Double.self, shape: shape, samples: 13)
    let lambda = 0.03
    let found = try model.effectiveDimensions(damping: .absolute(lambda), neurons: neurons)
    #expect(found.map(\.name) == ["layer 1", "layer 2", "layer 3"] && found.map(\.order) == [6, 8, 12])
    var expected: [Double] = []
    try model.predict(observing: { (index, observed) throws(FisherError) in
      guard index < 2 else { return }
      var window = Window()
      let nu = observed.preactivations.numbers.map { Reference.Activation.tanh.nu($0) }
      window.add(x: observed.inputs.numbers, nu: nu, samples: observed.rows)
      let order = observed.inputs.columns
      let blocks = window.takeMatrices(neurons: observed.preactivations.columns, order: order)
      let sum = places[index].reduce(0.0) { $0 + dimension(blocks[$1], order: order, lambda: lambda) }
      expected.append(sum / Double(places[index].count))
    })
    for (i, value) in expected.enumerated() {
      #expect(abs(found[i].dimension - value) < 1e-10 * value, "layer \(i + 1): \(found[i].dimension), \(value)")
    }
    // Of a set's samples the first that pass through at a time are taken.
    let numbers = model.input.elements.flatMap { $0.dropLast().map { Float($0) } }
    let set = Dataset(
      features: .floats(numbers + numbers), labels: Array(repeating: 0, count: 26), width: 5, classes: 4)
    let ofSet = try model.effectiveDimensions(of: set, 0..<26, damping: .absolute(lambda), neurons: neurons)
    for (one, other) in zip(ofSet, found) { #expect(abs(one.dimension - other.dimension) < 1e-5 * other.dimension) }
  }
}
