import FisherKit
import FisherKitToolSupport
import Foundation

extension Inspect {
  /// Whether a file is taken for a safetensors file and not for matrices, by its name or by how it begins.
  static func isModel(_ path: String) throws -> Bool {
    try path.lowercased().hasSuffix(".safetensors") || Safetensors.isOne(path: path)
  }

  /// Such as "classes", or "numbers (σ 2.0)".
  private static func outputs(_ distribution: OutputDistribution) -> String {
    let noun = distribution.noun.many
    if case .normal(let sigma) = distribution, sigma != 1 { return "\(noun) (σ \(sigma))" }
    return noun
  }

  /// What is in a safetensors file: the model, where it is one of ours, and its tensors and texts.
  static func describe(model path: String) throws -> String {
    let contents = try Safetensors.contents(path: path)
    var lines: [String] = []
    if contents.metadata[ModelFile.metadataKey] != nil {
      let file = try ModelFile(path: path)
      lines.append(
        "model       \(file.inputs) inputs, \(file.outputs) \(Self.outputs(file.distribution)), \(file.parameters) parameters in "
          + "\(file.isDouble ? "float64" : "float32"), by FisherKit \(file.version)")
      if let divisor = file.notes.featureDivisor {
        lines.append("features    \(divisor == 1 ? "as they are" : "divided by \(short(divisor, 9))")")
      }
      if let names = file.notes.classNames { lines.append("classes     \(names.joined(separator: ", "))") }
      let width = file.layers.reduce(11) { max($0, min(60, $1.place.count)) }
      for layer in file.layers {
        lines.append("\(pad(layer.place, -width)) \(layer.name.map { "\($0): " } ?? "")\(layer.summary)")
      }
    } else {
      lines.append("model       none of FisherKit's")
    }
    lines.append("")
    let width = contents.tensors.reduce(6) { max($0, min(60, $1.name.count)) }
    lines.append("\(pad("tensor", -width))  type  shape")
    for tensor in contents.tensors {
      lines.append("\(pad(tensor.name, -width))  \(pad(tensor.type, -4))  \(tensor.shape)")
    }
    let texts = contents.metadata.filter { $0.key != ModelFile.metadataKey }.sorted { $0.key < $1.key }
    if !texts.isEmpty { lines.append("") }
    for (key, text) in texts { lines.append("metadata    \(key): \(text.count > 200 ? text.prefix(200) + "…" : text)") }
    return lines.map { $0.visible(keeping: []) + "\n" }.joined()
  }
}
