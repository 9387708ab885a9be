import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Layers made of layers: what comes out, all derivatives, what is observed, and RNGD's steps, against plain arrays.
@Suite struct CompositionTests {
  typealias Rows = PlainLayer.Rows

  /// All of four channels.
  static let layers: [PlainLayer] = [
    .residual(.dense(4, 4, .tanh)),
    .residual(.sequence([.dense(4, 6, .tanh), .dense(6, 4, .linear)])),
    .concatenation([.dense(4, 3, .tanh), .dense(4, 2, .sigm)]),
    .sum([.dense(4, 3, .tanh), .sequence([.dense(4, 5, .sigm), .dense(5, 3, .tanh)]), .dense(4, 3, .linear)]),
    .concatenation([.normalization(4), .dense(4, 3, .tanh)]),
    .sum([.dense(4, 4, .tanh), .normalization(4)]),
    .concatenation([.normalization(4), .residual(.normalization(4))]),
    .residual(.residual(.sequence([.normalization(4), .dense(4, 4, .tanh)]))),
    .residual(.concatenation([.dense(4, 1, .tanh), .sequence([.dense(4, 3, .sigm)])])),
    .sequence([
      .residual(.sum([.dense(4, 4, .tanh), .sequence([.normalization(4), .dense(4, 4, .sigm)])])),
      .concatenation([.dense(4, 2, .tanh), .residual(.residual(.dense(4, 4, .tanh)))]),
      .sequence([.normalization(6), .sequence([.dense(6, 2, .tanh)])]),
    ]),
  ]

  /// A layer of the library and all that is known of it.
  private final class Run<S: KernelScalar> {
    let plain: PlainLayer
    let layer: any Layer<S>
    let positions: Int
    var random: SplitMix64
    var input: Matrix<S>
    var output: Matrix<S>
    var delta: Matrix<S>
    var inputDelta: Matrix<S>
    var x: Rows = []

    init(_ plain: PlainLayer, positions: Int, samples: Int = 5) throws {
      (self.plain, self.positions, random) = (plain, positions, SplitMix64(seed: 7))
      layer = try plain.make(S.self, positions: positions)
      try layer.prepare(batchCapacity: samples)
      for parameter in layer.parameters {
        let start = random.normal(parameter.neurons * parameter.order)
        for k in start.indices { parameter.value[k / parameter.order, k % parameter.order] = S(start[k] / 2) }
      }
      let rows = samples * positions
      input = try Matrix(rows: rows, columns: layer.inputs + (layer.takesBias ? 1 : 0))
      output = try Matrix(rows: rows, columns: layer.outputs)
      delta = try Matrix(rows: rows, columns: layer.outputs)
      inputDelta = try Matrix(rows: rows, columns: layer.inputs)
    }

    var weights: [[Double]] { layer.parameters.map { $0.value.numbers } }

    func fill(samples: Int) {
      x = (0..<(samples * positions)).map { _ in random.normal(layer.inputs).map { Double(S($0)) } }
      input.assign(x.map { ($0 + (layer.takesBias ? [1] : [])).map { S($0) } })
    }

    /// Forward and backward of L = Σ (c·y + y²/2); c is returned.
    func pass() -> Rows {
      layer.forward(input, into: &output)
      let c = x.map { _ in random.normal(layer.outputs) }
      delta.resize(rows: x.count)
      for i in c.indices { for j in c[i].indices { delta[i, j] = S(c[i][j]) + output[i, j] } }
      layer.backward(&delta, input: input)
      layer.propagate(delta, into: &inputDelta)
      return c
    }

    func loss(_ c: Rows, _ x: Rows, _ weights: [[Double]]) -> Double {
      var pass = PlainLayer.Pass(weights)
      let y = plain.output(x, &pass)
      let (flat, outputs) = (c.flatMap { $0 }, y.flatMap { $0 })
      var loss = 0.0
      for k in flat.indices { loss += flat[k] * outputs[k] + outputs[k] * outputs[k] / 2 }
      return loss
    }
  }

  private func expect(
    _ found: [Double], _ expected: [Double], _ tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let comparison = Comparison.normwise(found, expected, scale: 1, tolerance: tolerance)
    #expect(comparison.isAllowed, "\(what): \(comparison)", sourceLocation: sourceLocation)
  }

  /// A mini-batch, a smaller one, and a large one again: nothing of the one before is left behind.
  @Test(arguments: layers.indices, [1, 3]) func derivatives(index: Int, positions: Int) throws {
    // (differences of the eighth order are off by 1e-8 where inputs are large)
    try derivatives(Double.self, index, positions, outputs: 1e-12, gradients: 1e-7)
    try derivatives(Float.self, index, positions, outputs: 2e-5, gradients: 1e-3)
  }

  private func derivatives<S: KernelScalar>(
    _: S.Type, _ index: Int, _ positions: Int, outputs: Double, gradients: Double
  ) throws {
    let plain = Self.layers[index]
    let run = try Run<S>(plain, positions: positions)
    let bytes = run.layer.bytes
    for samples in [5, 3, 5] {
      run.fill(samples: samples)
      let what = "\(plain), \(S.self), \(samples) samples of \(positions)"
      let (c, weights, x) = (run.pass(), run.weights, run.x)
      var pass = PlainLayer.Pass(weights)
      let expected = plain.output(x, &pass)
      expect(run.output.numbers, expected.flatMap { $0 }, outputs, what)
      for (k, parameter) in run.layer.parameters.enumerated() {
        let gradient = Definition.gradient(at: weights[k]) { w in
          run.loss(c, x, weights.indices.map { $0 == k ? w : weights[$0] })
        }
        expect(parameter.gradient.numbers, gradient, gradients, "\(what), parameter \(k)")
      }
      let width = run.layer.inputs
      let gradient = Definition.gradient(at: x.flatMap { $0 }) { flat in
        run.loss(c, (0..<x.count).map { Array(flat[$0 * width..<($0 + 1) * width]) }, weights)
      }
      expect(run.inputDelta.numbers, gradient, gradients, "\(what), inputs")
    }
    #expect(run.layer.bytes == bytes, "what a layer holds does not grow")
  }

  /// Parameters are called and come in the order of their layers; of each is observed what fed it, in this order.
  @Test(arguments: layers.indices, [1, 3]) func observations(index: Int, positions: Int) throws {
    let plain = Self.layers[index]
    let run = try Run<Double>(plain, positions: positions)
    run.fill(samples: 4)
    _ = run.pass()
    #expect(run.layer.parameters.map(\.name) == plain.activations.indices.map { "\($0)" })
    var pass = PlainLayer.Pass(run.weights)
    _ = plain.output(run.x, &pass)
    var places: [Int] = []
    try run.layer.observe(input: run.input) { (k, observed) throws(FisherError) in
      places.append(k)
      #expect(observed.positions == positions && observed.samples == 4)
      expect(observed.inputs.numbers, pass.fed[k].inputs.flatMap { $0 }, 1e-10, "\(plain), inputs of \(k)")
      expect(observed.preactivations.numbers, pass.fed[k].preactivations.flatMap { $0 }, 1e-10, "\(plain), z of \(k)")
    }
    #expect(places == Array(plain.activations.indices))
  }

  /// Outside of training normalisations go by their averages, and a sample by itself.
  @Test(arguments: layers.indices) func evaluation(index: Int) throws {
    let plain = Self.layers[index]
    let run = try Run<Double>(plain, positions: 2)
    for _ in 1...3 {
      run.fill(samples: 5)
      _ = run.pass()
    }
    let averages = run.layer.normalizations.map { ($0.runningMean.numbers, $0.runningVariance.numbers) }
    for samples in [5, 1] {
      run.fill(samples: samples)
      run.layer.evaluate(run.input, into: &run.output)
      var pass = PlainLayer.Pass(run.weights, averages: averages)
      expect(run.output.numbers, plain.output(run.x, &pass).flatMap { $0 }, 1e-11, "\(plain)")
    }
    #expect(run.layer.normalizations.map { $0.runningMean.numbers } == averages.map { $0.0 })
  }

  /// Each step is that by (Ĝ + λI)⁻¹g for each parameter, with a new Ĝ at every step.
  @Test(arguments: layers.indices, [1, 3]) func steps(index: Int, positions: Int) throws {
    let (damping, rate, samples) = (0.05, 0.1, 6)
    let plain = Self.layers[index]
    let model = try Sequential<Double>([plain.make(positions: positions)], batchCapacity: samples)
    let optimizer = try RNGD<Double>(
      metric: ExactMetric(), learningRate: rate, damping: .absolute(damping), refreshInterval: 1, trustRegion: .off,
      positions: .sum)
    try optimizer.prepare(for: model, batchSize: samples)
    var random = SplitMix64(seed: 11)
    for step in 1...4 {
      let x = (0..<(samples * positions)).map { _ in random.normal(4) }
      model.input.assign(x.map { $0 + [1] })
      let c = x.map { _ in random.normal(model.outputs) }
      model.forward { _ in }
      model.backward { _, delta in delta.assign(c) }
      let weights = model.parameters.map { $0.value.numbers }
      var pass = PlainLayer.Pass(weights)
      _ = plain.output(x, &pass)
      let expected = model.parameters.indices.map { k in
        let (w, g) = (weights[k], model.parameters[k].gradient.numbers)
        let (z, m, d) = (pass.fed[k].preactivations, model.parameters[k].neurons, model.parameters[k].order)
        return (0..<m).flatMap { i -> [Double] in
          // (1/n) Σ over samples of the sum over positions
          var matrix = [Double](repeating: 0, count: d * d)
          for (row, fed) in pass.fed[k].inputs.enumerated() {
            let one = plain.activations[k] == nil ? [fed[i], 1] : fed
            let nu = plain.activations[k]?.nu(z[row][i]) ?? 1
            for k in matrix.indices { matrix[k] += nu * one[k / d] * one[k % d] / Double(samples) }
          }
          let direction = eliminate(matrix, Array(g[i * d..<(i + 1) * d]), damping: damping)
          return (0..<d).map { w[i * d + $0] - rate * direction[$0] }
        }
      }
      #expect(try optimizer.step(model).isEmpty)
      for (parameter, expected) in zip(model.parameters, expected) {
        expect(parameter.value.numbers, expected, 1e-10, "\(plain), \(positions) positions, step \(step)")
      }
    }
  }
}
