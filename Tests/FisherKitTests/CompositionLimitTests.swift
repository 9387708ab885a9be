import FisherKitTestSupport
import Testing

@testable import FisherKit

/// What layers made of layers refuse, in which words, and what they hold.
@Suite struct CompositionLimitTests {
  private func dense(_ inputs: Int, _ outputs: Int, positions: Int = 1, _ name: String = "a") throws -> Dense<Float> {
    var generator = SeededGenerator(seed: 1, stream: .initialisation)
    return try Dense(
      inputs: inputs, outputs: outputs, activation: Tanh(), positions: positions, name: name, using: &generator)
  }

  private func words(_ body: () throws -> Void) -> String { failure(of: body).map { "\($0)" } ?? "no error" }

  @Test func refusals() throws {
    #expect(words { _ = try Sequential<Float>([]) } == "layers: expected at least one, found 0")
    #expect(
      words { _ = try Sequential<Float>([dense(3, 4), dense(5, 2, "b")]) }
        == "layer 2, b: expected the 4 outputs below as its inputs, found 5")
    #expect(
      words { _ = try Sequential<Float>([dense(3, 4, positions: 6), dense(4, 2, "b")]) }
        == "layer 2, b: expected the 6 × 4 outputs below as its inputs, found 4")
    #expect(
      words { _ = try Residual<Float>(dense(3, 4)) }
        == "residual around a: expected outputs like its inputs, 3, found 4")
    #expect(words { _ = try Parallel<Float>([]) } == "branches: expected at least one, found 0")
    #expect(
      words { _ = try Parallel<Float>([dense(3, 4), dense(2, 4, "b")]) }
        == "branch b: expected 3 inputs, as the first branch has, found 2")
    #expect(
      words { _ = try Parallel<Float>([dense(3, 4), dense(3, 4, positions: 2, "b")]) }
        == "branch b: expected 3 inputs, as the first branch has, found 2 × 3")
    #expect(
      words { _ = try Parallel<Float>([dense(3, 4), dense(3, 5, "b")], joining: .sum) }
        == "branch b: expected outputs that go with the first branch's 4 for a sum, found 5")
    #expect(try Parallel<Float>([dense(3, 4), dense(3, 5)]).outputs == 9)
    #expect(
      words { _ = try Sequential<Float>([dense(3, 4)], batchCapacity: 0) }
        == "mini-batch: expected at least one sample, found 0")
    #expect(
      words { _ = try dense(3, 4, positions: 0) }
        == "a: inputs: expected at least one channel and one position, found 0 × 3")
    #expect(
      words { _ = try Sequential<Float>([dense(3, 4, positions: .max / 8)], batchCapacity: 100) }
        == "mini-batch: expected a size that can be addressed, found one that overflows")
  }

  /// An observation is of a training pass that nothing has passed through since.
  @Test func observationsOfNoPass() throws {
    let model = try Sequential<Float>([Residual<Float>(dense(3, 3))], batchCapacity: 2)
    let expected = "observation: expected a training pass that nothing has passed through since, found none"
    #expect(words { try model.observe { _, _ in } } == expected)
    model.forward { _ in }
    #expect(words { try model.observe { _, _ in } } == "no error")
    model.predict { _ in }
    #expect(words { try model.observe { _, _ in } } == expected)
    var count = 0
    try model.predict(observing: { _, _ in count += 1 })
    #expect(count == 1)
  }

  /// By hand: each matrix that there is to be, of its shape.
  @Test(arguments: [1, 3]) func bytes(positions: Int) throws {
    func size(_ rows: Int, _ columns: Int) throws -> Int { try Matrix<Float>.bytes(rows: rows, columns: columns) }
    let (n, rows) = (7, 7 * positions)
    func weights(_ m: Int, _ d: Int) throws -> Int { try 2 * size(m, d) }
    // a dense layer: weights, gradient, pre-activations
    func layer(_ inputs: Int, _ outputs: Int) throws -> Int {
      try weights(outputs, inputs + 1) + size(rows, outputs)
    }
    let inner = try Sequential<Float>([dense(4, 6, positions: positions), dense(6, 4, positions: positions)])
    let residual = try Residual<Float>(inner)
    let parallel = try Parallel<Float>([residual, dense(4, 5, positions: positions)])
    let model = try Sequential<Float>([dense(3, 4, positions: positions), parallel], batchCapacity: n)
    // what passes between layers with a bias column, and its derivative
    let inside = try layer(4, 6) + layer(6, 4) + size(rows, 7) + size(rows, 6)
    #expect(inner.bytes == inside)
    #expect(try residual.bytes == inside + size(rows, 4))
    // of each branch what comes out, and the derivatives by that and by what goes in
    let branches =
      try (2 * size(rows, 4) + size(rows, 4)) + (2 * size(rows, 5) + size(rows, 4)) + residual.bytes + layer(4, 5)
    #expect(parallel.bytes == branches)
    let whole = try size(rows, 4) + 2 * size(rows, 9) + layer(3, 4) + size(rows, 5) + size(rows, 4) + branches
    #expect(model.bytes == whole)
    model.forward { _ in }
    model.backward { $1.copy(from: $0) }
    #expect(model.bytes == whole)
  }
}
