import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// What a model's outputs say, in its file and in its predictions.
@Suite struct OutputDistributionTests {
  private let file = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
    "\(UUID().uuidString).safetensors")

  /// What outputs say is kept, by the loss or by a word; a model of classes is as older versions read it.
  @Test func distributions() throws {
    defer { try? FileManager.default.removeItem(at: file) }
    for (loss, said, expected, format) in [
      (SoftmaxCrossEntropy(), nil, .categorical, 1), (BernoulliCrossEntropy(), nil, .bernoulli, 2),
      (try SquaredError(sigma: 0.5), nil, .normal(sigma: 0.5), 2),
      (try SquaredError(), .categorical, .categorical, 1), (SoftmaxCrossEntropy(), .bernoulli, .bernoulli, 2),
    ] as [(any Loss, OutputDistribution?, OutputDistribution, Int)] {
      let model = try Sequential<Float>.perceptron(shape: [3, 2], activation: Relu(), loss: loss, batchCapacity: 1)
      #expect(model.parameters[0].subsystem?.description == loss.outputSubsystem.description)
      try model.write(to: file.path, notes: ModelNotes(distribution: said))
      let json = try Safetensors(path: file.path).metadata["fisherkit"] ?? ""
      #expect(json.contains("\"format\":\(format),") && json.contains("\"outputs\":{") == (format == 2), "\(json)")
      for _ in 1...2 {
        let read = try ModelFile(path: file.path)
        #expect(read.distribution == expected && read.notes.distribution == expected)
        #expect(OutputDistribution(try read.distribution.loss()) == expected)
        // (written again from what was read)
        try Sequential<Float>(read, batchCapacity: 1).write(to: file.path, notes: read.notes)
      }
    }
    #expect(OutputDistribution(Poisson()) == nil)
    // Outputs that went through an activation have been made probabilities already.
    var generator = SeededGenerator(seed: 0, stream: .initialisation)
    let squashed = try Sequential<Float>(
      [try Dense(inputs: 3, outputs: 2, activation: Sigm(), using: &generator)], batchCapacity: 1)
    try squashed.write(to: file.path)
    #expect(try ModelFile(path: file.path).distribution == .categorical)
  }

  /// Probabilities and numbers for outputs near and far.
  @Test func means() throws {
    try means(Double.self, tolerance: 1e-15)
    try means(Float.self, tolerance: 1e-6)
  }

  private func means<S: KernelScalar>(_: S.Type, tolerance: Double) throws {
    let z = [0, 1, -2.5, 1e4, -1e4, 30, -30, 0.25]
    let outputs = try Matrix<S>.make(z, rows: 2, columns: 4)
    for (distribution, expected) in [
      (.categorical, Reference.softmax(z: z, n: 2, m: 4).eta),
      (.bernoulli, z.map { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) }), (.normal(sigma: 3), z),
    ] as [(OutputDistribution, [Double])] {
      var found = try Matrix<S>(rows: 2, columns: 4)
      distribution.means(&found, of: outputs)
      let comparison = Comparison.normwise(found.numbers, expected, scale: 1, tolerance: tolerance)
      #expect(comparison.isAllowed, "\(distribution) in \(S.self): \(comparison)")
    }
  }
}
