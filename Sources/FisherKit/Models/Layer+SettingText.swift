extension Layer {
  /// What it is, with the settings of layers that are built in; of one's own its kind and widths, and what its parameters
  /// are.
  var settingText: String {
    let kind =
      switch self {
      case let layer as Sequential<Scalar>: layer.layers.map(\.settingText).joined(separator: "; ")
      case let layer as Residual<Scalar>: "residual: \(layer.body.settingText)"
      case let layer as Parallel<Scalar>:
        "\(layer.joining): \(layer.branches.map { "(\($0.settingText))" }.joined(separator: ", "))"
      case let layer as Dense<Scalar>: "dense, \(FisherKit.settingText(layer.activation))"
      case let layer as BatchNormalization<Scalar>:
        "batch normalisation, decay \(layer.decay), epsilon \(layer.epsilon)"
      default: "\(type(of: self))"
      }
    return "\(kind), \(inputExtent) to \(outputExtent)"
  }
}

extension Parameter {
  var settingText: String {
    let measure = subsystem.map { FisherKit.settingText($0) } ?? "nothing"
    return "\(neurons) × \(order)\(positions == 1 ? "" : " at \(positions) positions"), measured by \(measure)"
      + (isDecayed ? "" : ", without L2")
  }
}
