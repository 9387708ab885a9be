import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Networks that are kept in a file and made again.
@Suite struct ModelFileTests {
  let file = TemporaryFile()

  /// Trains a little, keeps it, and expects the same of what is made again: losses to the last digit, and steps too.
  private func expectSame<S: KernelScalar>(
    _: S.Type, _ activation: any Activation, metric: (any Activation)? = nil,
    batchNormalization: BatchNormalizationOptions? = nil, pair: Int? = nil
  ) throws {
    defer { file.remove() }
    let model = try Sequential<S>.perceptron(
      shape: [5, 7, 6, 4], activation: activation, metricActivation: metric, batchNormalization: batchNormalization,
      batchCapacity: 9, seed: 3)
    if let pair { try model.pairLayers(at: pair) }
    var generator = SplitMix64(seed: 5)
    var labels = try fill(model, samples: 9, using: &generator)
    let sgd = try SGD<S>(learningRate: 0.05)
    try sgd.prepare(for: model, batchSize: 9)
    for _ in 0..<5 {
      _ = model.gradients(labels: labels.span)
      _ = try sgd.step(model)
    }
    let notes = ModelNotes(featureDivisor: 255, classNames: ["a", "b,\"", "", "日本"])
    try model.write(to: file.path, notes: notes)
    let read = try ModelFile(path: file.path)
    let kept = ModelNotes(featureDivisor: 255, classNames: notes.classNames, distribution: .categorical)
    #expect(read.notes == kept && read.version == FisherKitVersion.current && read.isDouble == (S.self == Double.self))
    #expect(read.parameters == model.parameters.reduce(0) { $0 + $1.neurons * $1.order })
    let again = try Sequential<S>(read, batchCapacity: 9, activations: [ScaledTanh(scale: 1)])
    #expect(again.parameters.map(\.name) == model.parameters.map(\.name))
    #expect(again.parameters.map { "\($0.subsystem as Any)" } == model.parameters.map { "\($0.subsystem as Any)" })
    #expect(again.parameters.map { $0.above == nil } == model.parameters.map { $0.above == nil })
    for _ in 0..<2 {
      labels = try fill(model, samples: 9, using: &generator)
      again.input.copy(from: model.input)
      let (before, after) = (model.evaluate(labels: labels.span), again.evaluate(labels: labels.span))
      #expect(before == after && before.loss.isFinite, "\(activation)")
      // A gradient's step, and what the metric sees.
      for one in [model, again] { _ = one.gradients(labels: labels.span) }
      for (a, b) in zip(model.parameters, again.parameters) {
        #expect(a.gradient.elements == b.gradient.elements && a.value.elements == b.value.elements, "\(activation)")
      }
      func text(_ index: Int, _ observed: borrowing Observation<S>) -> String {
        "\(index)\(observed.inputs.elements)\(observed.preactivations.elements)"
      }
      var (first, second): ([String], [String]) = ([], [])
      try model.observe { (i, o) throws(FisherError) in first.append(text(i, o)) }
      try again.observe { (i, o) throws(FisherError) in second.append(text(i, o)) }
      #expect(first == second)
    }
  }

  static var kept: [any Activation] {
    get throws { try activations.filter { !($0 is OwnSoftplus) } + [ScaledTanh(scale: 0.3)] }
  }

  @Test(arguments: try kept.indices) func everyActivation(index: Int) throws {
    let activation = try Self.kept[index]
    try expectSame(Float.self, activation)
    try expectSame(Double.self, activation)
    try expectSame(Float.self, Relu(), metric: activation)
  }

  @Test(arguments: [false, true]) func batchNormalisation(hasBlocks: Bool) throws {
    let options = BatchNormalizationOptions(decay: 0.7, epsilon: 3e-5, hasBlocks: hasBlocks)
    try expectSame(Float.self, Relu(), batchNormalization: options)
    try expectSame(Double.self, Tanh(), batchNormalization: options)
  }

  @Test func pairs() throws { try expectSame(Double.self, try Relu(iota: 0.1), pair: 1) }

  /// All files of Neurons/ that declare an activation are known by name where a file is read.
  @Test func noActivationIsForgotten() throws {
    let declared = try declared(in: "Neurons", as: #/public struct (\w+): Activation\b/#)
    #expect(declared == Set(builtInActivations.map { "\(type(of: $0))" }))
    #expect(Set(builtInActivations.map(\.name)).count == builtInActivations.count)
  }

  @Test func precisions() throws {
    defer { file.remove() }
    let model = try smallNetwork(Double.self).model
    try model.write(to: file.path)
    let single = try Sequential<Float>(contentsOf: file.path, batchCapacity: 3)
    #expect(single.parameters[0].value[1, 2] == Float(model.parameters[0].value[1, 2]))
    model.parameters[1].value[0, 0] = 1e300
    try model.write(to: file.path)
    let error = failure(of: { _ = try Sequential<Float>(contentsOf: file.path, batchCapacity: 3) }) as? DataError
    #expect(
      error?.description
        == "\(file.path): layer 2: expected numbers of layers.1.weight that Float can hold, found larger ones")
  }

  @Test func refusesToWrite() throws {
    defer { file.remove() }
    func refusal<S: KernelScalar>(_ model: Sequential<S>) -> String {
      (failure(of: { try model.write(to: file.path) }) as? DataError)?.description ?? "no error"
    }
    let own = refusal(try smallNetwork(Float.self, activation: OwnSoftplus()).model)
    #expect(own.contains("layer 1: expected activations that can be made again") && own.hasSuffix("found own softplus"))
    let measured = refusal(try smallNetwork(Float.self, metricActivation: GenericTanh()).model)
    #expect(measured.hasSuffix("found generic tanh"))
    #expect(refusal(try smallNetwork(Float.self, activation: FalseRelu()).model).contains("FalseRelu called relu"))
    let infinite = refusal(try smallNetwork(Float.self, activation: ScaledTanh(scale: .infinity)).model)
    #expect(infinite.contains("can be made again"))
    let model = try smallNetwork(Float.self).model
    model.parameters[2].value[3, 6] = .nan
    #expect(refusal(model) == "\(file.path): layers.2.bias: expected finite numbers, found nan at index (3,)")
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }

  /// A good file, changed.
  private func refusal(_ change: (inout Safetensors, inout String) -> Void) throws -> String {
    defer { file.remove() }
    let model = try Sequential<Float>.perceptron(
      shape: [3, 2, 4], activation: try Elu(alpha: 0.5), batchNormalization: .init(), batchCapacity: 2)
    var contents = try model.safetensors(notes: ModelNotes(classNames: ["a", "b", "c", "d"]), place: "")
    var json = contents.metadata["fisherkit"] ?? ""
    let before = json
    change(&contents, &json)
    if json != before { contents.metadata["fisherkit"] = json }
    try contents.write(to: file.path)
    let error = failure(of: { _ = try Sequential<Float>(contentsOf: file.path, batchCapacity: 2) })
    let text = (error as? DataError)?.description ?? "no DataError: \(error as Any)"
    #expect(text.hasPrefix(file.path) && !text.contains("\n"), "\(text)")
    return text
  }

  @Test func otherTensors() throws {
    #expect(
      try refusal { contents, _ in contents.tensors.remove(at: 1) }.contains("a tensor layers.0.bias, found none"))
    #expect(
      try refusal { contents, _ in
        contents.tensors.append(.init(name: "layers.3.weight", shape: [0], elements: .float32([])))
      }.contains("no tensors but the layers', found layers.3.weight"))
    #expect(
      try refusal { contents, _ in
        contents.tensors[0] = .init(name: "layers.0.weight", shape: [3, 2], elements: contents.tensors[0].elements)
      }.contains("shape (2, 3) of layers.0.weight, found (3, 2)"))
    #expect(
      try refusal { contents, _ in
        contents.tensors[5] = .init(name: "layers.1.running_var", shape: [2], elements: .float32([1, -1]))
      }.contains("layer 2: expected variances that are not negative, found -1.0"))
    #expect(
      try refusal { contents, _ in contents.metadata = [:] }.contains(
        "a model of FisherKit's (fisherkit in the metadata)"))
  }

  static let changes: [(String, String, String)] = [
    (
      "\"format\":1", "\"format\":3",
      "a model of format 1 to 2, found format 3, which a later version of FisherKit wrote"
    ),
    ("\"format\":1", "\"format\":0", "found format 0"), ("\"format\":1", "\"format\":1.5", "a number out of range"),
    ("\"format\":1,", "", "no format"), ("{", "", "no JSON"), ("\"inputs\":3", "\"inputs\":4", "shape (2, 4)"),
    ("\"inputs\":3", "\"inputs\":0", "widths that a dense layer can have"),
    ("\"inputs\":3", "\"inputs\":-3", "widths that a dense layer can have"),
    ("\"inputs\":3", "\"inputs\":9223372036854775807", "widths that a dense layer can have"),
    ("\"inputs\":3", "\"inputs\":1e400", "a text of FisherKit's"),
    ("\"inputs\":2", "\"inputs\":5", "layer 2: expected 2 inputs, the layer's below, found 5"),
    ("\"outputs\":2}", "\"outputs\":2,\"parts\":[{}]}", "no kind at layers.[0].parts.[0]"),
    ("\"outputs\":4", "\"outputs\":4,\"positions\":2", "2 inputs, the layer's below, found 2 × 2"),
    ("\"outputs\":4", "\"outputs\":4,\"positions\":0", "widths that a dense layer can have"),
    ("\"outputs\":4", "\"outputs\":4,\"output_positions\":2", "a dense layer from 2 to 4, found 2 to 2 × 4"),
    ("\"outputs\":4", "\"outputs\":4,\"positions\":9223372036854775807", "widths that a dense layer can have"),
    (
      "\"kind\":\"dense\"", "\"kind\":\"sorcery\"",
      "layer 1: expected a kind of layer that is known (\(builtInKinds)), found sorcery"
    ),
    ("\"name\":\"layer 1\"", "\"name\":null", "layer 1: expected a dense layer with what belongs to it, found another"),
    ("\"decay\":0.99", "\"decay\":\"much\"", "layer 2: expected a batch normalisation layer with what belongs to it"),
    ("\"decay\":0.99", "\"decay\":0.99,\"rate\":1", "with what belongs to it, found rate too"),
    ("\"name\":\"elu\"", "\"name\":\"celu\"", "an activation that is known (elu, gelu, leaky-relu"),
    ("{\"alpha\":0.5}", "{\"alpha\":-0.5}", "the parameters of an activation elu, found alpha -0.5"),
    ("{\"alpha\":0.5}", "{}", "the parameters of an activation elu, found none"),
    ("{\"alpha\":0.5}", "{\"alpha\":0.5,\"beta\":1}", "the parameters of an activation elu, found alpha 0.5, beta 1.0"),
    ("\"decay\":0.99", "\"decay\":1", "decay: a number in [0, 1), found 1"),
    ("\"epsilon\":0.001", "\"epsilon\":0", "epsilon"),
    ("\"decay\":0.99,", "", "a batch normalisation layer with what belongs"),
    ("\"kind\":\"softmax\"", "\"kind\":\"hardmax\"", "a subsystem that is known"),
    ("\"kind\":\"softmax\"", "\"kind\":\"linear\",\"sigma\":0", "a σ that a linear layer can have"),
    ("\"kind\":\"softmax\"", "\"kind\":\"batch normalisation\"", "a dense layer with what belongs"),
    ("\"pairs\":[]", "\"pairs\":[2]", "pairs of its 3 layers"), ("\"pairs\":[]", "\"pairs\":[0]", "pair of layers"),
    ("\"pairs\":[]", "\"pairs\":[-1]", "pairs of its 3 layers"),
    ("\"d\"]", "\"d\",\"e\"]", "4 names of classes, found 5"),
    (
      "\"layers\":[", "\"outputs\":{\"kind\":\"x\"},\"layers\":[",
      "outputs that are known (bernoulli, or normal with a sigma), found x"
    ),
    ("\"layers\":[", "\"outputs\":{\"kind\":\"normal\"},\"layers\":[", "with a sigma), found normal"),
    ("\"layers\":[", "\"outputs\":{\"kind\":\"bernoulli\",\"sigma\":1},\"layers\":[", "found bernoulli"),
    (
      "\"layers\":[", "\"outputs\":{\"kind\":\"normal\",\"sigma\":0},\"layers\":[", "a σ that outputs can have, found 0"
    ),
    ("\"layers\":[", "\"features\":{\"divided_by\":0},\"layers\":[", "divided by a positive number"),
  ]

  @Test(arguments: changes.indices) func otherArchitectures(index: Int) throws {
    let (old, new, words) = Self.changes[index]
    let text = try refusal { _, json in
      #expect(json.contains(old), "\(old): \(json)")
      if let range = json.range(of: old) { json.replaceSubrange(range, with: new) }
    }
    #expect(text.contains(words), "\(old) → \(new): \(text)")
  }

  @Test func longTexts() throws {
    #expect(try refusal { _, json in json = String(repeating: "[", count: 500_000) }.contains("a text of FisherKit's"))
    #expect(try refusal { _, json in json += String(repeating: " ", count: 1 << 20) }.contains("at most 1048576 bytes"))
  }

  /// Evaluation, classes and probabilities say the same of a set as the trainer does.
  @Test func evaluation() throws {
    let data = try SyntheticData.make(training: 300, validation: 100, test: 250, seed: 1)
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 9, data.classes], activation: Tanh(), batchCapacity: 60)
    let trainer = try Trainer(model: model, optimizer: try SGD(learningRate: 0.1), data: data, batchSize: 50)
    let score = try trainer.run(epochs: 2)
    let evaluation = try model.evaluate(data.test, 0..<250)
    #expect(evaluation.score == score)
    #expect(evaluation.confusion.joined().reduce(0, +) == 250)
    let right = Int((evaluation.accuracy * 250).rounded())
    #expect(evaluation.confusion.indices.reduce(0) { $0 + evaluation.confusion[$1][$1] } == right)
    let classes = try model.classes(data.test, 0..<250)
    #expect(classes.indices.count { classes[$0] == Int(data.test.labels[$0]) } == right)
    let probabilities = try model.probabilities(data.test, 100..<250)
    for row in 0..<150 {
      let eta = probabilities[(row * data.classes)..<((row + 1) * data.classes)]
      #expect(abs(eta.reduce(0, +) - 1) < 1e-5 && eta.max() == eta[row * data.classes + classes[100 + row]])
    }
    let narrow = try Sequential<Float>.perceptron(shape: [3, 4], activation: Tanh(), batchCapacity: 5)
    #expect(throws: DataError("data", expected: "3 features, the network's inputs", found: "\(data.width)")) {
      try narrow.classes(data.test, 0..<1)
    }
    let few = try Sequential<Float>.perceptron(shape: [data.width, 4], activation: Tanh(), batchCapacity: 5)
    #expect(throws: DataError("data", expected: "at most 4 classes, the network's outputs", found: "\(data.classes)")) {
      try few.evaluate(data.test, 0..<1)
    }
  }
}
