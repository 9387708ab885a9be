import FisherKitTestSupport
import Testing

@testable import FisherKit

/// The relative Fisher matrices of convolutions and normalisations against their definition: all outcomes of a sample's
/// positions enumerated together, scores by differences of log p.
@Suite struct LayerDefinitionTests {
  private func expectEqual(_ found: [Double], _ expected: [Double], _ place: String) {
    let comparison = Comparison.normwise(found, expected, tolerance: 1e-9)
    #expect(comparison.isAllowed, "\(place): \(comparison)")
  }

  /// For outputs at all positions of a sample with pre-activations z(s, θ), averaged over samples.
  private func definition(
    samples: Int, theta: [Double], _ output: Definition.Output, z: (Int, [Double]) -> [Double]
  ) -> [Double] {
    var mean = [Double](repeating: 0, count: theta.count * theta.count)
    for s in 0..<samples {
      let outputs = Array(repeating: output, count: z(s, theta).count)
      let matrix = Definition.fisher(at: theta, outcomes: Definition.outcomes(outputs, z: z(s, theta))) { theta, y in
        let z = z(s, theta)
        return y.indices.reduce(0) { $0 + output.logDensity(y[$1], z: z[$1]) }
      }
      for k in mean.indices { mean[k] += matrix[k] / Double(samples) }
    }
    return mean
  }

  struct Case: Sendable {
    var window: Reference.Window
    var channels, outputs, groups: Int
  }

  static let cases = [
    Case(window: .init(3, 3, kernel: (2, 2)), channels: 2, outputs: 1, groups: 1),
    Case(window: .init(2, 2, kernel: (2, 2), padding: (1, 0)), channels: 1, outputs: 2, groups: 1),
    Case(window: .init(1, 4, kernel: (1, 2), stride: (1, 2)), channels: 2, outputs: 3, groups: 1),
    Case(window: .init(2, 3, kernel: (2, 2)), channels: 4, outputs: 4, groups: 2),
    Case(window: .init(2, 3, kernel: (2, 2)), channels: 3, outputs: 3, groups: 3),
  ]

  @Test(arguments: cases, [true, false]) func convolution(of one: Case, isSigned: Bool) throws {
    let (samples, window) = (2, one.window)
    var (random, generator) = (SplitMix64(seed: 21), SeededGenerator(seed: 1, stream: .initialisation))
    let shape = try ConvolutionShape(
      ImageWindow(
        .init(window.height, window.width), kernel: .init(window.kernelHeight, window.kernelWidth),
        stride: .init(window.strideY, window.strideX), padding: .init(window.paddingY, window.paddingX)),
      channels: one.channels, outputs: one.outputs, groups: one.groups)
    let layer = try Convolution<Double>(shape, activation: isSigned ? Tanh() : Sigm(), name: "c", using: &generator)
    try layer.prepare(batchCapacity: samples)
    let x = random.normal(samples * window.area * one.channels)
    var input = try Matrix<Double>.make(x, rows: samples * window.area, columns: one.channels)
    var output = try Matrix<Double>(rows: samples * window.positions, columns: one.outputs)
    for parameter in layer.parameters {
      let w = random.normal(parameter.neurons * parameter.order)
      parameter.value.copy(from: try .make(w, rows: parameter.neurons, columns: parameter.order))
    }
    input.resize(rows: samples * window.area)
    layer.forward(input, into: &output)
    var seen = 0
    try layer.observe(input: input) { (index, observed) throws(FisherError) in
      seen += 1
      #expect(observed.samples == samples && observed.positions == window.positions)
      let parameter = layer.parameters[index]
      guard let subsystem = parameter.subsystem else { return }
      let (m, d) = (parameter.neurons, parameter.order)
      let found = try subsystem.rfim(observed).dense().numbers
      let expected = definition(
        samples: samples, theta: parameter.value.numbers, isSigned ? .signs : .bits
      ) { s, w in
        (0..<window.positions).flatMap { position in
          (0..<m).map { i in
            // (a depthwise layer is one parameter, in which each neuron has a group of its own)
            let group = shape.isDepthwise ? i : index
            let patch =
              Reference.patch(
                x: x, window, channels: one.channels, groups: one.groups, row: s * window.positions + position,
                group: group) + [1]
            return (0..<d).reduce(0) { $0 + w[i * d + $1] * patch[$1] }
          }
        }
      }
      expectEqual(found, expected, "\(shape), \(parameter.name)")
      // products and solves against the dense matrix
      let rfim = try subsystem.rfim(observed)
      let v = random.normal(m * d)
      var product = try Matrix<Double>(rows: m, columns: d)
      var solution = try Matrix<Double>(rows: m, columns: d)
      for k in v.indices { solution[k / d, k % d] = v[k] }
      try rfim.multiply(&product, solution)
      let size = m * d
      expectEqual(
        product.numbers, (0..<size).map { i in (0..<size).reduce(0) { $0 + found[i * size + $1] * v[$1] } }, "product")
      try rfim.solve(&solution, damping: 0.1, route: .automatic, memoryCap: 1 << 30)
      let back = (0..<size).map { i in
        (0..<size).reduce(0.1 * solution.numbers[i]) { $0 + found[i * size + $1] * solution.numbers[$1] }
      }
      expectEqual(back, v, "solve")
    }
    #expect(seen == layer.parameters.count)
  }

  /// One position and a 1×1 window are a dense layer, to the last digit.
  @Test func oneByOne() throws {
    var (first, second) = (
      SeededGenerator(seed: 4, stream: .initialisation), SeededGenerator(seed: 4, stream: .initialisation)
    )
    let convolution = try Convolution<Double>(
      ConvolutionShape(ImageWindow(1, kernel: 1), channels: 6, outputs: 5), activation: Tanh(), using: &first)
    let dense = try Dense<Double>(inputs: 6, outputs: 5, activation: Tanh(), using: &second)
    #expect(convolution.parameters[0].value.numbers == dense.weights.value.numbers)
    var random = SplitMix64(seed: 5)
    let x = random.normal(4 * 6)
    let plain = try Matrix<Double>.make(x, rows: 4, columns: 6)
    var biased = try Matrix<Double>(rows: 4, columns: 7)
    for k in x.indices { biased[k / 6, k % 6] = x[k] }
    biased.fill(column: 6, with: 1)
    var one = try Matrix<Double>(rows: 4, columns: 5)
    var two = try Matrix<Double>(rows: 4, columns: 5)
    try convolution.prepare(batchCapacity: 4)
    try dense.prepare(batchCapacity: 4)
    convolution.forward(plain, into: &one)
    dense.forward(biased, into: &two)
    #expect(Comparison.normwise(one.numbers, two.numbers, tolerance: 1e-15).isAllowed)
    var matrices: [[Double]] = []
    try convolution.observe(input: plain) { (_, observed) throws(FisherError) in
      matrices.append(try NonlinearLayer(Tanh()).rfim(observed).dense().numbers)
    }
    try dense.observe(input: biased) { (_, observed) throws(FisherError) in
      matrices.append(try NonlinearLayer(Tanh()).rfim(observed).dense().numbers)
    }
    #expect(Comparison.normwise(matrices[0], matrices[1], tolerance: 1e-15).isAllowed)
  }

  /// γ and β, or γ alone, with x̂ given: outputs are normal with variance 1.
  @Test(arguments: [0, 1, 2]) func normalisation(kind: Int) throws {
    let (samples, positions, m) = (2, 2, 2)
    let layer: any Layer<Double> =
      switch kind {
      case 0: try LayerNormalization<Double>(channels: m, subsystem: BatchNorm(), positions: positions)
      case 1: try RMSNormalization<Double>(channels: m, subsystem: ScaleNorm(), positions: positions)
      default: try GroupNormalization<Double>(channels: m, groups: 1, subsystem: BatchNorm(), positions: positions)
      }
    try layer.prepare(batchCapacity: samples)
    var random = SplitMix64(seed: 31)
    let input = try Matrix<Double>.make(random.normal(samples * positions * m), rows: samples * positions, columns: m)
    var output = try Matrix<Double>(rows: samples * positions, columns: m)
    layer.forward(input, into: &output)
    // (γ = 1 and β = 0 give x̂ out)
    let xhat = output.numbers
    let parameter = layer.parameters[0]
    try layer.observe(input: input) { (_, observed) throws(FisherError) in
      guard let subsystem = parameter.subsystem else { return }
      let found = try subsystem.rfim(observed).dense().numbers
      let expected = definition(
        samples: samples, theta: parameter.value.numbers, .gaussian(sigma: 1) { $0 }
      ) { s, w in
        (0..<positions * m).map { k in
          let (x, i) = (xhat[s * positions * m + k], k % m)
          return kind == 1 ? w[i] * x : w[2 * i] * x + w[2 * i + 1]
        }
      }
      expectEqual(found, expected, "\(subsystem)")
    }
  }
}
