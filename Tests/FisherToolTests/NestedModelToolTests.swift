import FisherKit
import Foundation
import FisherKitTestSupport
import Testing

/// A network of layers in layers in a file, and what predict, evaluate and inspect make of it.
@Suite final class NestedModelToolTests {
  private let folder: Scratch
  private var path: String { folder.file("m.safetensors") }

  init() throws { folder = try Scratch() }

  deinit { folder.remove() }

  private func dense(
    _ inputs: Int, _ outputs: Int, _ name: String, positions: Int = 1, isTop: Bool = false
  ) throws -> Dense<Float> {
    var generator = SeededGenerator(seed: UInt64(inputs * outputs), stream: .initialisation)
    return try Dense(
      inputs: inputs, outputs: outputs, activation: isTop ? Linear() : Tanh(), subsystem: isTop ? SoftmaxLayer() : nil,
      positions: positions, name: name, using: &generator)
  }

  @Test func scores() throws {
    let data = try SyntheticData.make()
    let body = try Sequential<Float>([dense(12, 9, "narrow"), BatchNormalization(channels: 9), dense(9, 12, "wide")])
    let model = try Sequential<Float>(
      [
        dense(data.width, 12, "stem"), Residual(body),
        Parallel([dense(12, 5, "left"), Residual(dense(12, 12, "right"))]),
        dense(17, data.classes, "top", isTop: true),
      ], batchCapacity: 1000)
    let trainer = try Trainer(model: model, optimizer: try RNGD(), data: data, batchSize: 50)
    try trainer.run(epochs: 1)
    try model.write(to: path, notes: ModelNotes(featureDivisor: 1))
    let expected = try model.evaluate(data.test, 0..<data.test.count)
    #expect(expected.accuracy > 0.5)

    let evaluated = try Tool.run(["evaluate", path, "--json"])
    #expect(evaluated.status == 0 && evaluated.errors.isEmpty, "\(evaluated)")
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
    // (Foundation's JSON numbers are off in their last place)
    for (key, value) in [("loss", expected.score.loss), ("accuracy", expected.score.accuracy ?? .nan)] {
      #expect(abs((found[key] as? Double ?? .nan) - value) < 1e-12, "\(key)")
    }
    #expect(found["confusion"] as? [[Int]] == expected.confusion)

    #expect(try Tool.run(["predict", path, "--out", folder.file("P.npy")]).status == 0)
    let probabilities = try NPYArray(path: folder.file("P.npy"), rank: 2)
    guard case .float32(let floats) = probabilities.elements else { return #expect(Bool(false), "expected float32") }
    #expect(floats == (try model.probabilities(data.test, 0..<data.test.count)))

    let shown = try Tool.run(["inspect", path])
    let text = shown.output.replacing(#/ +/#, with: " ")
    for words in [
      "layers.1 residual, 12 to 12\n", "layers.1.body sequential, 12 to 12\n",
      "layers.1.body.layers.1 batch normalisation: batch normalisation, 9 channels, decay 0.99, epsilon 0.001\n",
      "layers.2 parallel, 12 to 17, joining concatenation\n",
      "layers.2.branches.1.body right: dense, 12 to 12, tanh, measured as non-linear, ν of tanh\n",
      "layers.1.body.layers.1.running_var F32 (9,)\n",
    ] { #expect(text.contains(words), "\(words): \(shown.output)") }
  }

  /// What the data are not: rows of several positions.
  @Test func positions() throws {
    let model = try Sequential<Float>([dense(64, 10, "tokens", positions: 3, isTop: true)], batchCapacity: 5)
    try model.write(to: path)
    for command in [["evaluate", path], ["predict", path, "--out", folder.file("P.npy")]] {
      let result = try Tool.run(command)
      #expect(result.status == 65 && result.output.isEmpty, "\(result)")
      #expect(
        result.errors.contains("\(path): expected a model of one row a sample, found 3 × 64 to 3 × 10"), "\(result)")
    }
    let shown = try Tool.run(["inspect", path])
    #expect(shown.status == 0 && shown.output.contains("tokens: dense, 3 × 64 to 3 × 10, linear"), "\(shown)")
  }
}
