import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Losses, accuracies and confusions of an evaluation against sums over the samples, one by one, in plain Swift.
@Suite struct EvaluationTests {
  private let count = 97
  private let labels: [Int32]
  private let features: [Float]
  private let model: Sequential<Double>

  init() throws {
    var generator = SplitMix64(seed: 91)
    features = generator.normal(97 * 5).map { Float($0) }
    labels = generator.labels(n: 97, m: 4)
    // (97 samples pass through in three parts, the last one smaller)
    model = try Sequential<Double>.perceptron(shape: [5, 7, 4], activation: Tanh(), batchCapacity: 40, seed: 5)
    for parameter in model.parameters {
      let numbers = generator.normal(parameter.neurons * parameter.order)
      for i in 0..<parameter.neurons {
        for j in 0..<parameter.order { parameter.value[i, j] = numbers[i * parameter.order + j] }
      }
    }
  }

  private var data: Dataset { Dataset(features: .floats(features), labels: labels, width: 5, classes: 4) }

  /// What the network makes of a sample: W₂ tanh(W₁x̃)~.
  private func logits(_ sample: Int) -> [Double] {
    var signals = (0..<5).map { Double(features[sample * 5 + $0]) }
    for (layer, parameter) in model.parameters.enumerated() {
      let inputs = signals + [1]
      let w = parameter.value.elements
      signals = w.map { row in zip(row, inputs).reduce(0) { $0 + $1.0 * $1.1 } }
      if layer == 0 { signals = signals.map { tanh($0) } }
    }
    return signals
  }

  private func probabilities(_ sample: Int) -> [Double] {
    let exponentials = logits(sample).map { exp($0) }
    return exponentials.map { $0 / exponentials.reduce(0, +) }
  }

  @Test(arguments: [0..<97, 13..<61, 96..<97]) func againstSums(range: Range<Int>) throws {
    let found = try model.evaluate(data, range)
    var (loss, right) = (0.0, 0)
    var confusion = Array(repeating: Array(repeating: 0, count: 4), count: 4)
    for sample in range {
      let eta = probabilities(sample)
      loss -= log(eta[Int(labels[sample])])
      let taken = eta.firstIndex(of: eta.max()!)!
      confusion[Int(labels[sample])][taken] += 1
      right += taken == Int(labels[sample]) ? 1 : 0
    }
    #expect(abs(found.score.loss - loss / Double(range.count)) < 1e-12 * loss)
    #expect(found.accuracy == Double(right) / Double(range.count) && found.confusion == confusion)
    #expect(found.score.error == 1 - Double(right) / Double(range.count))
    // (a table that is its own transpose would not tell rows from columns)
    #expect(range.count == 1 || (0..<4).contains { i in (0..<4).contains { confusion[i][$0] != confusion[$0][i] } })
    let trainer = try Trainer(
      model: model, optimizer: try SGD(learningRate: 1),
      data: try DataSplit(name: "data", samples: data, validationCount: 10, test: data), batchSize: 20)
    let score = try trainer.evaluate(data, range)
    #expect(score == found.score)
  }

  @Test func probabilitiesAndClasses() throws {
    let expected = (0..<count).map(probabilities)
    let found = try model.probabilities(data, 0..<count)
    #expect(Comparison.normwise(found, expected.flatMap { $0 }, tolerance: 1e-13).isAllowed)
    #expect(try model.classes(data, 0..<count) == expected.map { $0.firstIndex(of: $0.max()!)! })
  }

  /// Of equal logits the first counts, in classes as in confusions.
  @Test func equalLogits() throws {
    for parameter in model.parameters { parameter.value.setToZero() }
    #expect(try model.classes(data, 0..<9) == Array(repeating: 0, count: 9))
    let confusion = try model.evaluate(data, 0..<count).confusion
    let counts = (0..<4).map { label in labels.count { Int($0) == label } }
    #expect(confusion == counts.map { [$0, 0, 0, 0] })
    #expect(try abs(model.evaluate(data, 0..<count).score.loss - log(4)) < 1e-14)
  }

  /// A sample that is no number is named by its place in the set, counted from 0.
  @Test(arguments: [0, 39, 40, 83]) func sampleThatIsNoNumber(sample: Int) throws {
    var bad = features
    for j in 0..<5 { bad[sample * 5 + j] = .nan }
    let data = Dataset(features: .floats(bad), labels: labels, width: 5, classes: 4)
    let expected = DataError(
      "data", expected: "samples whose outputs are finite", found: "sample \(sample), whose are not")
    #expect(throws: expected) { try model.classes(data, 0..<count) }
  }
}
