import Foundation
import Testing

@testable import FisherKit

/// Networks made of their descriptions, and what is refused with layer, expected and found.
@Suite struct ModelDescriptionTests {
  private func make(_ json: String, features: Int = 64, outputs: Int = 3) throws -> Sequential<Float> {
    try ModelDescription(json: Data(json.utf8), place: "net.json").make(
      features: features, outputs: outputs, batchCapacity: 2)
  }

  @Test func builtIn() throws {
    for name in ModelDescription.names {
      let model = try #require(ModelDescription.named(name)).make(
        Float.self, features: 784, outputs: 10, batchCapacity: 2)
      #expect(model.inputs == 784 && model.outputs == 10)
      if name == "cnn" {
        #expect(
          model.parameters.map { [$0.neurons, $0.order, $0.positions] } == [
            [16, 10, 784], [32, 145, 196], [64, 7 * 7 * 32 + 1, 1], [10, 65, 1],
          ])
        #expect(model.parameters.allSatisfy { $0.subsystem != nil } && model.parameters[3].subsystem is SoftmaxLayer)
      }
      // (what it is a kept model is as well)
      let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors").path
      defer { try? FileManager.default.removeItem(atPath: path) }
      try model.write(to: path)
      let again = try Sequential<Float>(contentsOf: path, batchCapacity: 2)
      #expect(again.parameters.map { $0.value.numbers } == model.parameters.map { $0.value.numbers })
    }
    #expect(ModelDescription.named("no such") == nil)
  }

  /// Repeats, residual blocks, branches, names, and what is left without a Fisher matrix.
  @Test func composition() throws {
    let model = try make(
      """
      {"input": [4, 4, 4], "activation": "tanh", "layers": [
        {"layer": "convolution", "outputs": 6, "kernel": [3, 1], "padding": [1, 0], "stride": [2, 1], "name": "stem"},
        {"repeat": 3, "layers": [{"layer": "residual", "layers": [
          {"layer": "convolution", "outputs": 6, "kernel": 3, "padding": "same", "depthwise": true},
          {"layer": "layer normalisation", "measured": false}]}]},
        {"layer": "parallel", "joining": "sum", "branches": [
          [{"layer": "convolution", "outputs": 5, "kernel": 1}], [{"layer": "convolution", "outputs": 5, "kernel": 1}]]},
        {"layer": "average pooling", "kernel": [2, 4]},
        {"layer": "flatten"},
        {"layer": "dense", "activation": {"name": "elu", "alpha": 0.5}, "outputs": 7, "measured": false},
        {"layer": "dense"}]}
      """)
    #expect(model.layers.count == 9 && model.parameters.count == 1 + 3 * 2 + 2 + 2)
    #expect(model.parameters[0].name == "stem")
    #expect(Set(model.parameters.map(\.name)).count == model.parameters.count, "\(model.parameters.map(\.name))")
    #expect(model.parameters.filter { $0.subsystem == nil }.count == 4)
    #expect(model.layers[0].outputExtent == Extent(channels: 6, positions: 8))
    #expect(model.outputs == 3)
  }

  @Test(arguments: [
    ("[]", "a JSON object with layers", "another value"), ("{", "a JSON object", ""),
    (#"{"layers": []}"#, "a list of layers", ""), (#"{"layers": [3]}"#, "layer 1", "3"),
    (#"{"layers": [{"layer": "cube"}]}"#, "convolution", "cube"),
    (#"{"layers": [{"outputs": 3}]}"#, "repeat", "neither"),
    (#"{"layers": [{"layer": "dense", "outputs": 5, "width": 3}]}"#, "layer 1, dense", "width"),
    (#"{"layers": [{"layer": "dense"}], "extra": 1}"#, "activation, input, layers", "extra"),
    (#"{"layers": [{"layer": "dense", "outputs": 0}]}"#, "outputs", "0"),
    (#"{"layers": [{"layer": "dense", "outputs": 2.5}]}"#, "outputs", "2.5"),
    (#"{"layers": [{"layer": "dense"}, {"layer": "dense"}]}"#, "layer 1, dense", "none"),
    (
      #"{"layers": [{"layer": "convolution", "outputs": 3, "kernel": 3}, {"layer": "dense"}]}"#, "an image or a series",
      "64"
    ),
    (#"{"input": [8, 8], "layers": [{"layer": "convolution", "outputs": 3}]}"#, "kernel", "none"),
    (
      #"{"input": [8, 8], "layers": [{"layer": "convolution", "outputs": 3, "kernel": 99}]}"#,
      "within the padded image", "99"
    ),
    (
      #"{"input": [8, 8], "layers": [{"layer": "convolution", "outputs": 3, "kernel": 3, "groups": 5}]}"#, "divides",
      "5"
    ),
    (#"{"input": [8, 7], "layers": [{"layer": "dense"}]}"#, "64 features", "[8, 7]"),
    (#"{"input": "pictures", "layers": [{"layer": "dense"}]}"#, "images", "pictures"),
    (#"{"input": [9223372036854775807, 2], "layers": [{"layer": "dense"}]}"#, "input", ""),
    (#"{"layers": [{"layer": "dense", "activation": "cosine"}]}"#, "relu", "cosine"),
    (#"{"layers": [{"layer": "dense", "activation": {"name": "elu", "omega": 1}}]}"#, "elu", ""),
    (
      #"{"layers": [{"layer": "residual", "layers": [{"layer": "dense", "outputs": 5}]}, {"layer": "dense"}]}"#, "64",
      "5"
    ),
    (#"{"layers": [{"layer": "residual"}, {"layer": "dense"}]}"#, "layers, a list of layers", "none"),
    (#"{"layers": [{"layer": "parallel", "branches": []}, {"layer": "dense"}]}"#, "branches", ""),
    (
      #"{"layers": [{"layer": "parallel", "joining": "product", "branches": [[{"layer": "dense", "outputs": 2}]]}]}"#,
      "concatenation or sum", "product"
    ),
    (#"{"layers": [{"repeat": 1001, "layers": [{"layer": "dense", "outputs": 4}]}]}"#, "at most 1000", "1001"),
    (#"{"layers": [{"layer": "dropout"}, {"layer": "dense"}]}"#, "rate", ""),
    (
      #"{"input": [8, 8], "layers": [{"layer": "group normalisation", "groups": 3}, {"layer": "dense"}]}"#, "divides",
      "3"
    ),
    (#"{"layers": [{"layer": "dense", "measured": "no"}]}"#, "true or false", "no"),
    (#"{"layers": [{"layer": "dense", "name": 3}]}"#, "a text", "3"),
  ]) func refusals(json: String, expected: String, found: String) throws {
    do {
      _ = try make(json)
      Issue.record("\(json): expected a refusal")
    } catch {
      let text = "\(error)"
      #expect(
        text.contains(expected) && (found.isEmpty || text.contains(found)) && text.contains("net.json"),
        "\(json): \(text)")
      #expect(!text.contains("\n"), "\(text)")
    }
  }

  /// As many layers as a machine has no memory for are refused before anything of their size is allocated.
  @Test func tooLarge() {
    let json =
      #"{"layers": [{"layer": "dense", "outputs": 2000000000}, {"layer": "dense", "outputs": 2000000000}, {"layer": "dense"}]}"#
    #expect(throws: FisherError.self) { try make(json) }
  }

  /// Repeats in each other.
  @Test func tooMany() {
    let json =
      #"{"layers": [{"repeat": 1000, "layers": [{"repeat": 1000, "layers": [{"layer": "dense", "outputs": 1}]}]}, {"layer": "dense"}]}"#
    let error = #expect(throws: DataError.self) { try make(json) }
    #expect(error?.expected.contains("10000 layers") == true)
  }

  /// In each other deeper than anybody means.
  @Test func deep() {
    let depth = 2000
    let json =
      #"{"layers": ["# + String(repeating: #"{"layer": "residual", "layers": ["#, count: depth) + #"{"layer": "dense"}"#
      + String(repeating: "]}", count: depth) + "]}"
    #expect(throws: (any Error).self) { try make(json) }
  }
}
