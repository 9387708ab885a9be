import FisherKitTestSupport
import Testing

@testable import FisherKit

/// The derivatives of layers of images against differences of what comes out of them, in double precision, and in single
/// against double.
@Suite struct LayerDerivativeTests {
  struct Case: Sendable, CustomStringConvertible {
    var name: String
    var make: @Sendable (inout SeededGenerator) throws -> any Layer<Double>
    var makeSingle: @Sendable (inout SeededGenerator) throws -> any Layer<Float>
    var description: String { name }
  }

  private static func convolution(
    _ name: String, _ shape: @escaping @Sendable () throws -> ConvolutionShape, takesFeatures: Bool = false
  ) -> Case {
    Case(
      name: "convolution, \(name)",
      make: {
        try Convolution<Double>(try shape(), takesFeatures: takesFeatures, activation: Tanh(), name: "c", using: &$0)
      },
      makeSingle: {
        try Convolution<Float>(try shape(), takesFeatures: takesFeatures, activation: Tanh(), name: "c", using: &$0)
      })
  }

  static let cases: [Case] = [
    convolution("plain") {
      try ConvolutionShape(ImageWindow(.init(5, 4), kernel: 3, padding: 1), channels: 3, outputs: 4)
    },
    convolution(
      "of features",
      {
        try ConvolutionShape(ImageWindow(.init(5, 4), kernel: 3, padding: 1), channels: 2, outputs: 3)
      }, takesFeatures: true),
    convolution("stride and dilation") {
      try ConvolutionShape(
        ImageWindow(.init(7, 6), kernel: .init(3, 2), stride: .init(2, 1), padding: 1, dilation: .init(1, 2)),
        channels: 2,
        outputs: 3)
    },
    convolution("of a series") {
      try ConvolutionShape(ImageWindow(length: 9, kernel: 3, stride: 2, padding: 1), channels: 2, outputs: 3)
    },
    convolution("in groups") {
      try ConvolutionShape(ImageWindow(.init(4, 4), kernel: 3, padding: 1), channels: 4, outputs: 6, groups: 2)
    },
    convolution("depthwise") { try .depthwise(ImageWindow(.init(4, 5), kernel: 3, padding: 1), channels: 3) },
    Case(
      name: "max pooling",
      make: { _ in try MaxPooling<Double>(ImageWindow(.init(6, 5), kernel: 2, stride: 2), channels: 3) },
      makeSingle: { _ in try MaxPooling<Float>(ImageWindow(.init(6, 5), kernel: 2, stride: 2), channels: 3) }),
    Case(
      name: "max pooling, overlapping",
      make: { _ in try MaxPooling<Double>(ImageWindow(.init(5, 5), kernel: 3, stride: 2, padding: 1), channels: 2) },
      makeSingle: { _ in try MaxPooling<Float>(ImageWindow(.init(5, 5), kernel: 3, stride: 2, padding: 1), channels: 2)
      }),
    Case(
      name: "average pooling",
      make: { _ in try AveragePooling<Double>(ImageWindow(.init(5, 5), kernel: 3, stride: 2, padding: 1), channels: 2)
      },
      makeSingle: { _ in
        try AveragePooling<Float>(ImageWindow(.init(5, 5), kernel: 3, stride: 2, padding: 1), channels: 2)
      }),
    Case(
      name: "global pooling", make: { _ in try AveragePooling<Double>(.global(.init(3, 4)), channels: 5) },
      makeSingle: { _ in try AveragePooling<Float>(.global(.init(3, 4)), channels: 5) }),
    Case(
      name: "flatten", make: { _ in try Flatten<Double>(Extent(channels: 3, positions: 4)) },
      makeSingle: { _ in try Flatten<Float>(Extent(channels: 3, positions: 4)) }),
    Case(
      name: "layer normalisation", make: { _ in try LayerNormalization<Double>(channels: 5, positions: 3) },
      makeSingle: { _ in try LayerNormalization<Float>(channels: 5, positions: 3) }),
    Case(
      name: "rms normalisation", make: { _ in try RMSNormalization<Double>(channels: 5, positions: 3) },
      makeSingle: { _ in try RMSNormalization<Float>(channels: 5, positions: 3) }),
    Case(
      name: "group normalisation", make: { _ in try GroupNormalization<Double>(channels: 6, groups: 2, positions: 4) },
      makeSingle: { _ in try GroupNormalization<Float>(channels: 6, groups: 2, positions: 4) }),
    Case(
      name: "batch normalisation of channels", make: { _ in try BatchNormalization<Double>(channels: 3, positions: 4) },
      makeSingle: { _ in try BatchNormalization<Float>(channels: 3, positions: 4) }),
  ]

  /// A layer with its mini-batch, and a loss Σ c·y.
  private final class Run<S: KernelScalar> {
    let layer: any Layer<S>
    var input, output, delta, inputDelta: Matrix<S>

    init(_ layer: any Layer<S>, samples: Int) throws {
      self.layer = layer
      try layer.prepare(batchCapacity: samples)
      let (inputs, outputs) = (samples * layer.inputExtent.positions, samples * layer.outputExtent.positions)
      input = try Matrix(rows: inputs, columns: layer.inputs + (layer.takesBias ? 1 : 0))
      output = try Matrix(rows: outputs, columns: layer.outputs)
      delta = try Matrix(rows: outputs, columns: layer.outputs)
      inputDelta = try Matrix(rows: inputs, columns: layer.inputs)
    }

    func take(_ x: [Double], _ weights: [[Double]]) {
      for k in x.indices { input[k / layer.inputs, k % layer.inputs] = S(x[k]) }
      if layer.takesBias { input.fill(column: layer.inputs, with: 1) }
      for (parameter, numbers) in zip(layer.parameters, weights) {
        for k in numbers.indices { parameter.value[k / parameter.order, k % parameter.order] = S(numbers[k]) }
      }
    }

    func loss(_ c: [Double]) -> Double {
      layer.forward(input, into: &output)
      let y = output.numbers
      var sum = 0.0
      for k in c.indices { sum += c[k] * y[k] }
      return sum
    }

    /// All derivatives, those of the inputs last.
    func derivatives(_ c: [Double]) -> [[Double]] {
      _ = loss(c)
      for k in c.indices { delta[k / layer.outputs, k % layer.outputs] = S(c[k]) }
      layer.backward(&delta, input: input)
      layer.propagate(delta, into: &inputDelta)
      return layer.parameters.map { $0.gradient.numbers } + [inputDelta.numbers]
    }
  }

  @Test(arguments: cases) func derivatives(of one: Case) throws {
    var (generator, random) = (SeededGenerator(seed: 3, stream: .initialisation), SplitMix64(seed: 9))
    let samples = 2
    let run = try Run(try one.make(&generator), samples: samples)
    let (layer, extent) = (run.layer, run.layer.inputExtent)
    var x = random.normal(samples * extent.positions * extent.channels)
    if one.name.hasPrefix("max") {
      // (no two so near each other that a difference's step would change which is the largest)
      let places = x.indices.sorted { x[$0] < x[$1] }
      for (rank, place) in places.enumerated() { x[place] = Double(rank) }
    }
    let c = random.normal(samples * layer.outputExtent.positions * layer.outputs)
    let weights = layer.parameters.map { random.normal($0.neurons * $0.order).map { $0 / 2 } }
    run.take(x, weights)
    let found = run.derivatives(c)
    for (k, parameter) in layer.parameters.enumerated() {
      let expected = Definition.gradient(at: weights[k]) { w in
        run.take(x, weights.indices.map { $0 == k ? w : weights[$0] })
        return run.loss(c)
      }
      let comparison = Comparison.normwise(found[k], expected, scale: 1, tolerance: 1e-8)
      #expect(comparison.isAllowed, "\(one), \(parameter.name): \(comparison)")
    }
    let expected = Definition.gradient(at: x) { x in
      run.take(x, weights)
      return run.loss(c)
    }
    let comparison = Comparison.normwise(found[layer.parameters.count], expected, scale: 1, tolerance: 1e-8)
    #expect(comparison.isAllowed, "\(one), inputs: \(comparison)")

    // in single precision, on a smaller mini-batch after a larger one too
    let single = try Run(try one.makeSingle(&generator), samples: samples)
    single.take(x, weights)
    for (k, numbers) in single.derivatives(c).enumerated() {
      let comparison = Comparison.normwise(numbers, found[k], scale: 1, tolerance: 2e-5)
      #expect(comparison.isAllowed, "\(one), Float, \(k): \(comparison)")
    }
  }
}
