extension Layer {
  /// What it is, with its settings and those of the layers that it is made of, and its widths.
  var settingText: String {
    let kind =
      switch self {
      case let layer as Sequential<Scalar>: layer.layers.map(\.settingText).joined(separator: "; ")
      case let layer as Residual<Scalar>: "residual: \(layer.body.settingText)"
      case let layer as Parallel<Scalar>:
        "\(layer.joining): \(layer.branches.map { "(\($0.settingText))" }.joined(separator: ", "))"
      case let layer as Dense<Scalar>: "dense, \(FisherKit.settingText(layer.activation))"
      default: (kindTexts + settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }).joined(separator: ", ")
      }
    return "\(kind), \(inputExtent) to \(outputExtent)"
  }

  /// What its kind is called, and the layers that it says it is made of.
  private var kindTexts: [String] {
    guard let layer = self as? any KeepableLayer<Scalar> else { return ["\(type(of: self))"] }
    return [type(of: layer).kind] + layer.keptParts.map { "\($0.place) (\($0.layer.settingText))" }
  }
}

extension Parameter {
  var settingText: String {
    let measure = subsystem.map { FisherKit.settingText($0) } ?? "nothing"
    return "\(neurons) × \(order)\(positions == 1 ? "" : " at \(positions) positions"), measured by \(measure)"
      + (isDecayed ? "" : ", without L2")
  }
}
