import Foundation
import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Networks of layers in layers, of several positions and of kinds from outside, that are kept in a file and made again.
@Suite struct NestedModelFileTests {
  private let file = TemporaryFile()

  /// Trains a few steps, keeps it, and expects the same of what is made again.
  private func expectSame<S: KernelScalar>(
    _ model: Sequential<S>, _ what: String, kinds: [any KeepableLayer<S>.Type] = []
  ) throws -> Sequential<S> {
    defer { file.remove() }
    var random = SplitMix64(seed: 5)
    func fill() { model.input.assign((0..<6).map { _ in random.normal(model.inputs).map { S($0) } + [1] }) }
    fill()
    let optimizer = try SGD<S>(learningRate: 0.05)
    try optimizer.prepare(for: model, batchSize: 6 / model.inputExtent.positions)
    for _ in 1...3 {
      model.forward { _ in }
      model.backward { $1.copy(from: $0) }
      _ = try optimizer.step(model)
    }
    try model.write(to: file.path)
    let read = try ModelFile(path: file.path)
    #expect(read.parameters == model.parameters.reduce(0) { $0 + $1.neurons * $1.order }, "\(what)")
    #expect(read.inputExtent == model.inputExtent && read.outputExtent == model.outputExtent)
    let again = try Sequential<S>(read, batchCapacity: 6, layers: kinds)
    #expect(again.parameters.map(\.name) == model.parameters.map(\.name), "\(what)")
    #expect(again.parameters.map { "\($0.subsystem as Any)" } == model.parameters.map { "\($0.subsystem as Any)" })
    #expect(again.parameters.map(\.positions) == model.parameters.map(\.positions))
    #expect(again.parameters.map { $0.above?.name } == model.parameters.map { $0.above?.name })
    fill()
    again.input.copy(from: model.input)
    var outputs: [[Double]] = []
    for network in [model, again] {
      network.predict { outputs.append($0.numbers) }
      network.forward { outputs.append($0.numbers) }
      network.backward { $1.copy(from: $0) }
    }
    #expect(outputs[0] == outputs[2] && outputs[1] == outputs[3] && outputs[0].allSatisfy(\.isFinite), "\(what)")
    for (a, b) in zip(model.parameters, again.parameters) {
      #expect(a.gradient.elements == b.gradient.elements && a.value.elements == b.value.elements, "\(what), \(a.name)")
    }
    // what is written of it again is the same
    let (first, second) = (
      try model.safetensors(notes: ModelNotes(), place: ""), try again.safetensors(notes: ModelNotes(), place: "")
    )
    #expect(first.metadata == second.metadata && first.tensors.map(\.name) == second.tensors.map(\.name), "\(what)")
    return again
  }

  @Test(arguments: CompositionTests.layers.indices, [1, 3]) func compositions(index: Int, positions: Int) throws {
    let plain = CompositionTests.layers[index]
    let layer: any Layer<Double> = try plain.make(positions: positions)
    _ = try expectSame(Sequential([layer], batchCapacity: 6 / positions), "\(plain)")
    let single: any Layer<Float> = try plain.make(positions: positions)
    _ = try expectSame(Sequential([single], batchCapacity: 6 / positions), "\(plain)")
  }

  /// Two branches, one of them a pair of layers.
  func nested<S: KernelScalar>(_: S.Type = S.self) throws -> Sequential<S> {
    var generator = SeededGenerator(seed: 2, stream: .initialisation)
    func dense(_ inputs: Int, _ outputs: Int, _ name: String) throws -> Dense<S> {
      try Dense(inputs: inputs, outputs: outputs, activation: Tanh(), name: name, using: &generator)
    }
    let pair = try Sequential<S>([dense(2, 4, "lower"), dense(4, 3, "upper")])
    try pair.pairLayers(at: 0)
    return try Sequential(
      [
        dense(3, 2, "first"),
        Residual(
          Sequential([dense(2, 5, "inner"), BatchNormalization(channels: 5, name: "norm"), dense(5, 2, "back")])),
        Parallel([pair, dense(2, 1, "beside")]),
      ], batchCapacity: 6)
  }

  @Test func names() throws {
    let model = try nested(Float.self)
    _ = try expectSame(model, "nested")
    let contents = try model.safetensors(notes: ModelNotes(), place: "")
    #expect(
      contents.tensors.map(\.name) == [
        "layers.0.weight", "layers.0.bias", "layers.1.body.layers.0.weight", "layers.1.body.layers.0.bias",
        "layers.1.body.layers.1.weight", "layers.1.body.layers.1.bias", "layers.1.body.layers.1.running_mean",
        "layers.1.body.layers.1.running_var", "layers.1.body.layers.2.weight", "layers.1.body.layers.2.bias",
        "layers.2.branches.0.layers.0.weight", "layers.2.branches.0.layers.0.bias",
        "layers.2.branches.0.layers.1.weight", "layers.2.branches.0.layers.1.bias", "layers.2.branches.1.weight",
        "layers.2.branches.1.bias",
      ])
    let json = try #require(contents.metadata["fisherkit"])
    #expect(json.contains("\"format\":2") && json.contains("\"joining\":\"concatenation\""))
    let read = try ModelFile(contents, path: "m")
    #expect(
      read.layers.map { "\($0.place) \($0.name ?? "-"): \($0.summary)" } == [
        "layers.0 first: dense, 3 to 2, tanh, measured as non-linear, ν of tanh", "layers.1 -: residual, 2 to 2",
        "layers.1.body -: sequential, 2 to 2",
        "layers.1.body.layers.0 inner: dense, 2 to 5, tanh, measured as non-linear, ν of tanh",
        "layers.1.body.layers.1 norm: batch normalisation, 5 channels, decay 0.99, epsilon 0.001",
        "layers.1.body.layers.2 back: dense, 5 to 2, tanh, measured as non-linear, ν of tanh",
        "layers.2 -: parallel, 2 to 4, joining concatenation", "layers.2.branches.0 -: sequential, 2 to 3, pairs 0",
        "layers.2.branches.0.layers.0 lower: dense, 2 to 4, tanh, measured as non-linear, ν of tanh",
        "layers.2.branches.0.layers.1 upper: dense, 4 to 3, tanh, measured as non-linear, ν of tanh",
        "layers.2.branches.1 beside: dense, 2 to 1, tanh, measured as non-linear, ν of tanh",
      ])
  }

  /// Files of the first format, written by the version that knew no other, with what its network made of the same samples.
  @Test(arguments: [
    (
      "normalised",
      [
        [-0.054374594, -0.10238388, 0.24260034, -0.063529186], [0.43969074, 0.5599556, -1.9244007, 1.2212942],
        [0.32107005, 0.17231008, -1.3722595, 1.5165377],
      ]
    ),
    (
      "pair",
      [
        [-0.05213683, -0.10056414, 0.23294985, -0.0545934], [0.4430903, 0.56385267, -1.9392194, 1.2318785],
        [0.32405326, 0.1750917, -1.3851744, 1.5275109],
      ]
    ),
  ])
  func firstFormat(name: String, outputs: [[Double]]) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/format-1-\(name).safetensors").path
    let old = try Safetensors(path: path)
    let read = try ModelFile(path: path)
    #expect(
      read.notes == ModelNotes(featureDivisor: 255, classNames: ["a", "b", "c", "d"], distribution: .categorical))
    let model = try Sequential<Float>(read, batchCapacity: 3)
    model.input.assign([[1, -1, 0.5, 1], [0, 2, -0.5, 1], [0.25, 1, 1, 1]])
    model.predict { found in
      let comparison = Comparison.normwise(found.numbers, outputs.flatMap { $0 }, tolerance: 1e-6)
      #expect(comparison.isAllowed, "\(name): \(comparison)")
    }
    #expect((model.parameters[0].above != nil) == (name == "pair"))
    #expect((model.parameters[1].subsystem is BatchNorm) == (name == "normalised"))
    // and what is written of it is a file of the first format again, which that version reads
    let again = try model.safetensors(notes: read.notes, place: "")
    #expect(again.tensors == old.tensors)
    let (before, after) = (try #require(old.metadata["fisherkit"]), try #require(again.metadata["fisherkit"]))
    #expect(
      after == before.replacing("\"version\":\"\(read.version)\"", with: "\"version\":\"\(FisherKitVersion.current)\""))
  }

  // MARK: Kinds of layers

  /// All files of Models/ that say how a kind of layer is kept are known by name where a file is read.
  @Test func noLayerIsForgotten() throws {
    let declared = try declared(in: "Models", as: #/(?m)^extension (\w+): KeepableLayer\b/#)
    #expect(Set(builtInLayers(Float.self).map { "\($0)".replacing("<Float>", with: "") }) == declared)
    #expect(Set(builtInLayers(Float.self).map { $0.kind }).count == declared.count)
  }

  @Test func kindsFromOutside() throws {
    let scaling = try Scaling<Float>(channels: 3, gain: 0.1, words: ["b", "c"], passes: .max - 1)
    let model = try Sequential<Float>([Residual(Residual(scaling))], batchCapacity: 6)
    let again = try expectSame(model, "scaling", kinds: [Scaling<Float>.self])
    let inner = try #require(((again.layers[0] as? Residual<Float>)?.body as? Residual<Float>)?.body as? Scaling<Float>)
    #expect(inner.gain == 0.1 && inner.words == ["b", "c"] && inner.passes == .max - 1)
    let contents = try model.safetensors(notes: ModelNotes(), place: "")
    #expect(contents.tensors.map(\.name) == ["layers.0.body.body.scales"])
    let read = try ModelFile(contents, path: "m")
    #expect(
      read.layers.last?.summary == "scaling, 3 to 3, gain 0.1, passes 18446744073709551614, words b c")
    #expect(read.parameters == 3)
    let error = failure { _ = try Sequential<Float>(read, batchCapacity: 2) }
    #expect(
      "\(error!)"
        == "m: layer 1, body, body: expected a kind of layer that is known (\(builtInKinds)), found scaling")
    // a tensor of another shape is refused once its kind is known
    var other = contents
    other.tensors[0] = .init(name: "layers.0.body.body.scales", shape: [1], elements: .float32([1]))
    let wrong = failure {
      _ = try Sequential<Float>(ModelFile(other, path: "m"), batchCapacity: 2, layers: [Scaling<Float>.self])
    }
    #expect("\(wrong!)" == "m: expected shape (3,) of layers.0.body.body.scales, found (1,)")
  }

  @Test func refusesToWrite() throws {
    func words(_ layer: any Layer<Float>) -> String {
      let error = failure { try Sequential<Float>([layer], batchCapacity: 2).write(to: file.path) }
      return error.map { "\($0)" } ?? "no error"
    }
    let foreign = words(try Residual<Float>(FalseDense<Float>()))
    #expect(
      foreign.hasPrefix(
        "\(file.path): layer 1, body: expected a kind of layer with a name of its own, found FalseDense<"),
      "\(foreign)")
    let infinite = words(try Scaling<Float>(channels: 2, gain: .infinity))
    #expect(
      infinite.hasPrefix("\(file.path): layer 1: expected settings that JSON can have, found "), "\(infinite)")
    var deep: any Layer<Float> = try Scaling<Float>(channels: 2, gain: 1)
    for _ in 1..<LayerRecord.maximumDepth { deep = try Residual<Float>(deep) }
    let deepest = words(deep)
    #expect(deepest == "no error")
    file.remove()
    let deeper = words(try Residual<Float>(deep))
    #expect(deeper.hasSuffix(", body: expected layers at most 32 deep in each other, found more"), "\(deeper)")
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }
}
