import FisherKitTestSupport
import Testing

@testable import FisherKit

@Suite struct DropoutTests {
  /// A layer with what flows through it.
  private final class Run<S: KernelScalar> {
    let layer: Dropout<S>
    var input: Matrix<S>
    var output: Matrix<S>

    init(rate: Double, seed: UInt64 = 1, rows: Int = 60, channels: Int = 50, positions: Int = 1)
      throws
    {
      layer = try Dropout(channels: channels, rate: rate, seed: seed, positions: positions)
      try layer.prepare(batchCapacity: rows / positions)
      var random = SplitMix64(seed: 3)
      // (with a column behind, as where the layer beside takes a bias)
      input = try .make(
        random.uniform(rows * (channels + 1), in: 1...2), rows: rows, columns: channels + 1)
      output = try Matrix(rows: rows, columns: channels + 1)
    }

    /// Of each number whether it is kept; checks what becomes of it.
    func pass() -> [Bool] {
      layer.forward(input, into: &output)
      let scale = S(1 / (1 - layer.rate))
      var (kept, wrong): ([Bool], Int) = ([], 0)
      for i in 0..<input.rows {
        for j in 0..<layer.inputs {
          if output[i, j] != 0 && output[i, j] != input[i, j] * scale { wrong += 1 }
          kept.append(output[i, j] != 0)
        }
      }
      #expect(wrong == 0, "\(wrong) of \(kept.count) are neither 0 nor \(scale) times themselves")
      return kept
    }
  }

  /// The share that is kept is 1 − p, in every pass, row and column alike.
  @Test(arguments: [0, 0.1, 0.5, 0.9]) func shares(rate: Double) throws {
    let run = try Run<Float>(rate: rate, rows: 400)
    let masks = (1...3).map { _ in run.pass() }
    func check(_ count: Int, of all: Int, _ what: String) {
      let deviation = (Double(all) * rate * (1 - rate)).squareRoot()
      #expect(
        abs(Double(count) - Double(all) * (1 - rate)) <= 5 * deviation,
        "\(what): \(count) of \(all) at \(rate)")
    }
    for mask in masks {
      check(mask.count { $0 }, of: 20_000, "pass")
      for j in 0..<50 { check((0..<400).count { mask[$0 * 50 + j] }, of: 400, "column \(j)") }
      for i in 0..<400 { check((0..<50).count { mask[i * 50 + $0] }, of: 50, "row \(i)") }
    }
    // two passes have nothing to do with each other
    let both = masks[0].indices.count { masks[0][$0] && masks[1][$0] }
    let share = (1 - rate) * (1 - rate)
    let deviation: Double = (20_000 * share * (1 - share)).squareRoot()
    let distance: Double = abs(Double(both) - 20_000 * share)
    #expect(distance <= 5 * deviation)
  }

  @Test func seeds() throws {
    let (one, same, other) = (
      try Run<Double>(rate: 0.5), try Run<Double>(rate: 0.5), try Run<Double>(rate: 0.5, seed: 2)
    )
    let masks = (1...3).map { _ in one.pass() }
    #expect(masks == (1...3).map { _ in same.pass() })
    let others = (1...3).map { _ in other.pass() }
    #expect(Set(masks + others).count == 6)
  }

  /// The derivative goes where the number went; outside of training all pass, and no mask is drawn.
  @Test func derivatives() throws {
    let run = try Run<Double>(rate: 0.3, rows: 6, channels: 4, positions: 3)
    let mask = run.pass()
    var random = SplitMix64(seed: 5)
    let c = random.normal(24)
    var delta = try Matrix<Double>.make(c, rows: 6, columns: 4)
    var below = try Matrix<Double>(rows: 6, columns: 4)
    run.layer.backward(&delta, input: run.input)
    run.layer.propagate(delta, into: &below)
    let expected: [Double] = c.indices.map { mask[$0] ? c[$0] * (1 / 0.7) : 0 }
    #expect(below.numbers == expected)
    run.layer.evaluate(run.input, into: &run.output)
    let (input, output) = (run.input.elements, run.output.elements)
    #expect(
      (0..<6).allSatisfy { input[$0].prefix(4) == output[$0].prefix(4) } && run.layer.passes == 1)
  }

  private func network(_ seed: UInt64 = 1) throws -> Sequential<Float> {
    var generator = SeededGenerator(seed: 2, stream: .initialisation)
    func dense(_ inputs: Int, _ outputs: Int, _ name: String) throws -> Dense<Float> {
      try Dense(
        inputs: inputs, outputs: outputs, activation: Tanh(),
        subsystem: name == "top" ? SoftmaxLayer() : nil,
        name: name, using: &generator)
    }
    let body = try Sequential<Float>([
      dense(6, 6, "body"), Dropout(channels: 6, rate: 0.25, seed: seed),
    ])
    return try Sequential(
      [
        dense(5, 6, "stem"), Residual(body), Dropout(channels: 6, rate: 0.5, seed: seed + 1),
        dense(6, 3, "top"),
      ],
      batchCapacity: 8)
  }

  /// Trains by RNGD as far as the file, and goes on from it as if nothing had been.
  @Test func kept() throws {
    let file = TemporaryFile()
    defer { file.remove() }
    var generator = SplitMix64(seed: 7)
    func steps(_ model: Sequential<Float>, _ count: Int, _ generator: inout SplitMix64) throws
      -> [Double]
    {
      let optimizer = try SGD<Float>(learningRate: 0.1)
      try optimizer.prepare(for: model, batchSize: 8)
      return try (0..<count).map { _ in
        let labels = try fill(model, samples: 8, using: &generator)
        let loss = model.gradients(labels: labels.span).loss
        _ = try optimizer.step(model)
        return loss
      }
    }
    let model = try network()
    _ = try steps(model, 5, &generator)
    try model.write(to: file.path)
    let again = try Sequential<Float>(
      contentsOf: file.path, batchCapacity: 8)
    #expect((again.layers[2] as? Dropout<Float>)?.passes == 5)
    var same = generator
    #expect(try steps(model, 5, &generator) == steps(again, 5, &same))
    let read = try ModelFile(path: file.path)
    #expect(
      read.layers.map(\.summary).filter { $0.hasPrefix("dropout") } == [
        "dropout, 6 to 6, passes 5, rate 0.25, seed 1",
        "dropout, 6 to 6, passes 5, rate 0.5, seed 2",
      ])
  }

  /// What RNGD observes of the layers above is what was left of the layers below.
  @Test func trains() throws {
    let model = try network()
    let optimizer = try RNGD<Float>(metric: ExactMetric(), learningRate: 0.1, refreshInterval: 5)
    try optimizer.prepare(for: model, batchSize: 8)
    #expect(optimizer.plan.map(\.name) == ["stem", "body", "top"])
    var losses: [Double] = []
    for _ in 0..<60 {
      var same = SplitMix64(seed: 93)
      let labels = try fill(model, samples: 8, using: &same)
      losses.append(model.gradients(labels: labels.span).loss)
      #expect(try optimizer.step(model).isEmpty)
    }
    let (first, last): (Double, Double) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
    #expect(last < 0.8 * first, "\(losses)")
  }

  @Test func refusals() throws {
    for rate in [-0.1, 1, .nan] {
      let error = failure { _ = try Dropout<Float>(channels: 2, rate: rate) }
      #expect("\(error!)" == "dropout rate: expected a number in [0, 1), found \(rate)")
    }
    let error = failure { _ = try Dropout<Float>(channels: 0, rate: 0.5) }
    #expect(
      "\(error!)" == "dropout: channels: expected at least one channel and one position, found 0")
    // where a file has it, the file and the layer are named
    let json = """
      {"format":2,"version":"1","pairs":[],"layers":[
      {"kind":"dropout","inputs":2,"outputs":2,"rate":1.5,"seed":1,"passes":0}]}
      """
    let contents = Safetensors(tensors: [], metadata: ["fisherkit": json])
    let read = failure {
      _ = try Sequential<Float>(
        ModelFile(contents, path: "m"), batchCapacity: 2)
    }
    #expect("\(read!)" == "m: layer 1: expected dropout rate: a number in [0, 1), found 1.5")
  }
}
