import Foundation
import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Nested files that were changed.
extension NestedModelFileTests {
  /// A good nested file, changed.
  private func refusal(_ change: (inout Safetensors, inout String) -> Void) throws -> String {
    var contents = try nested(Float.self).safetensors(notes: ModelNotes(), place: "")
    var json = contents.metadata["fisherkit"] ?? ""
    change(&contents, &json)
    contents.metadata["fisherkit"] = json
    let error = failure { _ = try Sequential<Float>(ModelFile(contents, path: "m"), batchCapacity: 2) }
    let text = (error as? DataError)?.description ?? "no DataError: \(error as Any)"
    #expect(text.hasPrefix("m: ") || text.hasPrefix("m: layer"), "\(text)")
    return text
  }

  static let changes: [(String, String, String)] = [
    ("\"at\":\"body\"", "\"at\":\"rump\"", "m: expected a tensor layers.1.rump.layers.0.weight, found none"),
    ("\"at\":\"body\",", "", "m: expected a tensor layers.1..layers.0.weight, found none"),
    (
      "\"at\":\"layers.2\"", "\"at\":\"layers.0\"",
      "m: expected shape (2, 5) of layers.1.body.layers.0.weight, found (5, 2)"
    ),
    (
      "\"inputs\":5", "\"inputs\":6",
      "m: layer 2, body, layers.1: expected a batch normalisation layer from 5 to 5, found 6 to 5"
    ),
    (
      "\"inputs\":5", "\"inputs\":0",
      "m: layer 2, body, layers.1: expected widths that a batch normalisation layer can have, found 0 to 5"
    ),
    (
      "\"joining\":\"concatenation\"", "\"joining\":\"sum\"",
      "m: layer 3: expected branch beside: outputs that go with the first branch's 3 for a sum, found 1"
    ),
    (
      "\"joining\":\"concatenation\"", "\"joining\":\"product\"",
      "m: layer 3: expected a parallel layer with what belongs to it, found"
    ),
    (
      "\"joining\":\"concatenation\",", "",
      "m: layer 3: expected a parallel layer with what belongs to it, found no joining"
    ),
    (
      "\"pairs\":[0]", "\"pairs\":[1]",
      "m: layer 3, branches.0: expected pair of layers: two dense layers with Fisher matrices, one above the other, "
        + "found none at layer 3"
    ),
    ("\"pairs\":[0]", "\"pairs\":[9223372036854775807]", "m: layer 3, branches.0: expected pair of layers: two dense"),
    ("\"pairs\":[0]", "\"pairs\":{}", "m: layer 3, branches.0: expected a sequential layer with what belongs to it"),
    ("\"kind\":\"residual\"", "\"kind\":\"sequential\"", "m: layer 2: expected parts layers.0, found body"),
    (
      "\"kind\":\"residual\"", "\"kind\":\"residual\",\"rate\":[1,{\"a\":true}]",
      "m: layer 2: expected a residual layer"
    ),
    ("\"kind\":\"residual\"", "\"kind\":\"parallel\"", "with what belongs to it, found no joining"),
    ("\"format\":2", "\"format\":3", "m: expected a model of format 1 to 2, found format 3, which a later version"),
  ]

  @Test(arguments: changes.indices) func damagedArchitectures(index: Int) throws {
    let (old, new, words) = Self.changes[index]
    let text = try refusal { _, json in
      #expect(json.contains(old), "\(old): \(json)")
      if let range = json.range(of: old) { json.replaceSubrange(range, with: new) }
    }
    #expect(text.contains(words), "\(old) → \(new): \(text)")
  }

  @Test func damagedTensors() throws {
    #expect(
      try refusal { contents, _ in contents.tensors.remove(at: 2) }
        == "m: expected a tensor layers.1.body.layers.0.weight, found none")
    #expect(
      try refusal { contents, _ in
        contents.tensors.append(.init(name: "layers.1.body.layers.3.weight", shape: [0], elements: .float32([])))
      } == "m: expected no tensors but the layers', found layers.1.body.layers.3.weight")
    #expect(
      try refusal { contents, _ in
        contents.tensors[7] = .init(
          name: "layers.1.body.layers.1.running_var", shape: [5], elements: .float32([1, 1, -1, 1, 1]))
      } == "m: layer 2, body, layers.1: expected variances that are not negative, found -1.0")
  }

  /// Layers, or settings, in each other deeper than anything needs.
  @Test(arguments: [31, 32, 33, 200, 5000]) func depth(levels: Int) throws {
    let (start, end) = (
      "{\"kind\":\"residual\",\"inputs\":2,\"outputs\":2,\"at\":\"body\",\"parts\":[", "]}"
    )
    let inner = "{\"kind\":\"residual\",\"inputs\":2,\"outputs\":2,\"at\":\"body\"}"
    let layer = String(repeating: start, count: levels - 1) + inner + String(repeating: end, count: levels - 1)
    let json = "{\"format\":2,\"version\":\"1\",\"pairs\":[],\"layers\":[\(layer)]}"
    let file = Safetensors(tensors: [], metadata: ["fisherkit": json])
    let error = failure { _ = try Sequential<Float>(ModelFile(file, path: "m"), batchCapacity: 2) }
    let text = "\(error!)"
    if levels <= 32 {
      #expect(text.hasSuffix("body: expected one layer in a residual layer, found 0"), "\(text)")
    } else if levels == 33 || levels == 200 {
      #expect(text == "m: expected layers at most 32 deep in each other, found more")
    } else {
      // (the reader of JSON has a limit of its own)
      #expect(text.hasPrefix("m: expected a text of FisherKit's in the metadata, found "), "\(text)")
    }
    let settings = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    let other = json.replacing(
      layer, with: "{\"kind\":\"k\",\"inputs\":2,\"outputs\":2,\"name\":\"a\",\"x\":\(settings)}")
    let found = failure { _ = try Architecture(json: other, place: "m") }
    #expect((found == nil) == (levels < 100), "\(levels): \(String(describing: found))")
  }
}
