import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Layers, a small CNN and a step of RNGD against PyTorch: outputs and derivatives, by Tests/PyTorch/layers.py. Skipped, with a
/// message, where the Python that FISHERKIT_TORCH names, or python3, has no PyTorch.
@Suite struct PyTorchTests {
  private struct Case: Decodable {
    var name, kind, precision: String
    var samples: Int?
    var image, kernel, stride, padding, dilation: [Int]?
    var channels, outputs, groups: Int?
    var damping, rate: Double?
  }

  private static let python = ProcessInfo.processInfo.environment["FISHERKIT_TORCH"] ?? "python3"
  private static var script: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("PyTorch/layers.py").path
  }

  private static func run(_ arguments: [String]) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, script] + arguments
    (process.standardError, process.standardOutput) = (FileHandle.nullDevice, FileHandle.nullDevice)
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static let hasTorch = run(["--check"]) == 0

  @Test(.enabled(if: hasTorch, "PyTorch is missing: name a Python that has it by FISHERKIT_TORCH"))
  func layers() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pytorch-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try #require(Self.run([folder]) == 0, "\(Self.script) failed")
    let cases = try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/cases.json")))
    #expect(cases.count == 24)
    for one in cases {
      let arrays = Arrays(folder: folder, name: one.name)
      if one.precision == "double" {
        try check(one, arrays, Double.self, 1e-10)
      } else {
        try check(one, arrays, Float.self, 1e-5)
      }
    }
  }

  private struct Arrays {
    var folder, name: String

    func matrix<S: KernelScalar>(_ key: String, _: S.Type = S.self) throws -> Matrix<S> {
      let array = try NPYArray(path: "\(folder)/\(name).\(key).npy")
      let columns = array.shape.count > 1 ? array.shape[1] : 1
      let numbers: [Double] =
        switch array.elements {
        case .float32(let elements): elements.map(Double.init)
        case .float64(let elements): elements
        }
      return try Matrix<S>.make(numbers, rows: array.shape[0], columns: columns)
    }
  }

  private func expectEqual(_ found: [Double], _ expected: [Double], _ tolerance: Double, _ what: String) {
    let comparison = Comparison.normwise(found, expected, tolerance: tolerance)
    #expect(comparison.isAllowed, "\(what): \(comparison)")
  }

  private func check<S: KernelScalar>(_ one: Case, _ arrays: Arrays, _: S.Type, _ tolerance: Double) throws {
    if one.kind == "network" { return try checkNetwork(one, arrays, S.self, tolerance) }
    let (layer, samples) = (try make(one, S.self), one.samples ?? 0)
    try layer.prepare(batchCapacity: samples)
    let input: Matrix<S> = try arrays.matrix("x")
    var delta: Matrix<S> = try arrays.matrix("c")
    let expected: Matrix<S> = try arrays.matrix("y")
    let inputGradient: Matrix<S> = try arrays.matrix("dx")
    var output = try Matrix<S>(rows: expected.rows, columns: expected.columns)
    var inputDelta = try Matrix<S>(rows: input.rows, columns: input.columns)
    var first = 0
    if !layer.parameters.isEmpty {
      let w: Matrix<S> = try arrays.matrix("w")
      for parameter in layer.parameters {
        for i in 0..<parameter.neurons { parameter.value.copyRow(first + i, of: w, to: i) }
        first += parameter.neurons
      }
    }
    layer.forward(input, into: &output)
    layer.backward(&delta, input: input)
    layer.propagate(delta, into: &inputDelta)
    expectEqual(output.numbers, expected.numbers, tolerance, "\(one.name), outputs")
    expectEqual(inputDelta.numbers, inputGradient.numbers, tolerance, "\(one.name), inputs")
    if !layer.parameters.isEmpty {
      let gradient: Matrix<S> = try arrays.matrix("dw")
      expectEqual(
        layer.parameters.flatMap { $0.gradient.numbers }, gradient.numbers, tolerance, "\(one.name), weights")
    }
  }

  private func make<S: KernelScalar>(_ one: Case, _: S.Type) throws -> any Layer<S> {
    func size(_ sides: [Int]?, _ usual: Int) -> ImageWindow.Size {
      sides.map { ImageWindow.Size($0[0], $0[1]) } ?? ImageWindow.Size(usual, usual)
    }
    let (image, channels) = (size(one.image, 1), one.channels ?? 1)
    func window() throws -> ImageWindow {
      try ImageWindow(
        image, kernel: size(one.kernel, 1), stride: size(one.stride, 1), padding: size(one.padding, 0),
        dilation: size(one.dilation, 1))
    }
    var generator = SeededGenerator(seed: 0, stream: .initialisation)
    switch one.kind {
    case "convolution":
      return try Convolution<S>(
        ConvolutionShape(window(), channels: channels, outputs: one.outputs ?? 1, groups: one.groups ?? 1),
        activation: Tanh(), using: &generator)
    case "max pooling": return try MaxPooling<S>(window(), channels: channels)
    case "average pooling": return try AveragePooling<S>(window(), channels: channels)
    case "layer normalisation": return try LayerNormalization<S>(channels: channels, positions: image.count)
    case "rms normalisation": return try RMSNormalization<S>(channels: channels, positions: image.count)
    case "group normalisation":
      return try GroupNormalization<S>(channels: channels, groups: one.groups ?? 1, positions: image.count)
    default: throw DataError(one.name, expected: "a kind of layer", found: one.kind)
    }
  }

  private func checkNetwork<S: KernelScalar>(
    _ one: Case, _ arrays: Arrays, _: S.Type, _ tolerance: Double
  ) throws {
    let description = """
      {"input": [8, 8, 1], "activation": "relu", "layers": [
        {"layer": "convolution", "outputs": 3, "kernel": 3, "padding": "same"}, {"layer": "max pooling", "kernel": 2},
        {"layer": "convolution", "outputs": 4, "kernel": 3, "padding": "same"}, {"layer": "max pooling", "kernel": 2},
        {"layer": "flatten"}, {"layer": "dense", "outputs": 5}, {"layer": "dense"}]}
      """
    let model: Sequential<S> = try ModelDescription(json: Data(description.utf8), place: "network").make(
      features: 64, outputs: 3, batchCapacity: 6)
    for (k, parameter) in model.parameters.enumerated() {
      let w: Matrix<S> = try arrays.matrix("w\(k)")
      parameter.value.copy(from: w)
    }
    let x: Matrix<S> = try arrays.matrix("x")
    let labels: [Int32] = [0, 1, 2, 0, 1, 2]
    model.input.assign(x.numbers.map { S($0) }, bias: true)
    let outputs: Matrix<S> = try arrays.matrix("outputs")
    model.forward { expectEqual($0.numbers, outputs.numbers, tolerance, "\(one.name), outputs") }
    let optimizer = try RNGD<S>(
      metric: ExactMetric(windowSamples: 1 << 20), learningRate: one.rate ?? 0, damping: .absolute(one.damping ?? 0),
      trustRegion: .off, positions: .sum)
    try optimizer.prepare(for: model, batchSize: 6)
    _ = model.gradients(labels: labels.span)
    for (k, parameter) in model.parameters.enumerated() {
      let expected: Matrix<S> = try arrays.matrix("g\(k)")
      expectEqual(parameter.gradient.numbers, expected.numbers, tolerance, "\(one.name), gradient \(k)")
    }
    _ = try optimizer.step(model)
    for (k, parameter) in model.parameters.enumerated() {
      let expected: Matrix<S> = try arrays.matrix("after\(k)")
      expectEqual(parameter.value.numbers, expected.numbers, 10 * tolerance, "\(one.name), step of \(k)")
    }
  }
}
