/// A layer of a network as files have it: what it is. Its numbers are tensors beside it, called as in PyTorch.
struct LayerRecord: Codable, Equatable {
  enum Kind: String, Codable {
    case dense
    case batchNormalization = "batch normalisation"
  }

  var kind: Kind
  var name: String
  /// Widths, the same for a batch normalisation.
  var inputs: Int
  var outputs: Int
  /// Of a dense layer.
  var activation: ActivationRecord?
  /// Of a batch normalisation.
  var decay: Double?
  var epsilon: Double?
  /// `nil` leaves its parameters to the plain gradient.
  var measuredBy: SubsystemRecord?

  enum CodingKeys: String, CodingKey {
    case kind, name, inputs, outputs, activation, decay, epsilon
    case measuredBy = "measured_by"
  }

  /// - Parameter place: names the file and the layer in an error.
  init<Scalar: KernelScalar>(_ layer: any Layer<Scalar>, place: String) throws(DataError) {
    (inputs, outputs) = (layer.inputs, layer.outputs)
    switch layer {
    case let layer as Dense<Scalar>:
      kind = .dense
      name = layer.weights.name
      activation = try ActivationRecord(layer.activation, place: place)
    case let layer as BatchNormalization<Scalar>:
      kind = .batchNormalization
      name = layer.parameter.name
      (decay, epsilon) = (layer.decay, layer.epsilon)
    default:
      throw DataError(place, expected: "Dense or BatchNormalization", found: "\(type(of: layer))")
    }
    if let subsystem = layer.parameters[0].subsystem {
      measuredBy = try SubsystemRecord(subsystem, place: place)
    }
  }

  /// The layer's numbers.
  static func tensors<Scalar: KernelScalar>(of layer: any Layer<Scalar>, index: Int) -> [Safetensors.Tensor] {
    func tensor(
      _ name: String, _ matrix: borrowing Matrix<Scalar>, _ columns: Range<Int>, _ shape: [Int]
    ) -> Safetensors.Tensor {
      .init(name: "layers.\(index).\(name)", shape: shape, elements: NPYArray.elements(of: matrix, columns: columns))
    }
    switch layer {
    case let layer as Dense<Scalar>:
      let (m, d) = (layer.outputs, layer.inputs)
      return [
        tensor("weight", layer.weights.value, 0..<d, [m, d]), tensor("bias", layer.weights.value, d..<(d + 1), [m]),
      ]
    case let layer as BatchNormalization<Scalar>:
      let m = layer.channels
      return [
        tensor("weight", layer.parameter.value, 0..<1, [m]), tensor("bias", layer.parameter.value, 1..<2, [m]),
        tensor("running_mean", layer.runningMean, 0..<m, [m]),
        tensor("running_var", layer.runningVariance, 0..<m, [m]),
      ]
    default: return []
    }
  }

  /// The names and shapes of its tensors.
  func shapes(index: Int) -> [(name: String, shape: [Int])] {
    switch kind {
    case .dense: [("layers.\(index).weight", [outputs, inputs]), ("layers.\(index).bias", [outputs])]
    case .batchNormalization:
      ["weight", "bias", "running_mean", "running_var"].map { ("layers.\(index).\($0)", [outputs]) }
    }
  }

  /// The layer with these numbers, whose shapes are as they should be.
  /// - Parameters:
  ///   - tensors: in the order of ``shapes(index:)``.
  ///   - others: activations that are not built in.
  func layer<Scalar: KernelScalar>(
    _ tensors: [Safetensors.Tensor], others: [any Activation], place: String
  ) throws -> any Layer<Scalar> {
    let subsystem = try measuredBy.map { try $0.subsystem(others: others, place: place) }
    switch (kind, activation, decay, epsilon, subsystem) {
    case (.dense, let activation?, nil, nil, let subsystem?) where subsystem.sharesInputs:
      var generator = SeededGenerator(seed: 0, stream: .initialisation)
      let layer = try Dense<Scalar>(
        inputs: inputs, outputs: outputs, activation: try activation.activation(others: others, place: place),
        subsystem: subsystem, name: name, using: &generator)
      try layer.weights.value.assign(tensors[0], columns: 0..<inputs, place: place)
      try layer.weights.value.assign(tensors[1], columns: inputs..<(inputs + 1), place: place)
      return layer
    case (.batchNormalization, nil, let decay?, let epsilon?, let subsystem)
    where subsystem == nil || subsystem is BatchNorm:
      let layer = try BatchNormalization<Scalar>(
        channels: outputs, decay: decay, epsilon: epsilon, subsystem: subsystem as? BatchNorm, name: name)
      try layer.parameter.value.assign(tensors[0], columns: 0..<1, place: place)
      try layer.parameter.value.assign(tensors[1], columns: 1..<2, place: place)
      try layer.runningMean.assign(tensors[2], columns: 0..<outputs, place: place)
      try layer.runningVariance.assign(tensors[3], columns: 0..<outputs, place: place)
      if let variance = layer.runningVariance.elements[0].first(where: { $0 < 0 }) {
        throw DataError(place, expected: "variances that are not negative", found: "\(variance)")
      }
      return layer
    default:
      throw DataError(place, expected: "a \(kind.rawValue) layer with what belongs to it", found: "another")
    }
  }

  /// Such as "dense, 784 to 80, relu (iota 0.0, omega 0.0), measured as non-linear, ν of relu (iota 0.0, omega 1.0)".
  var summary: String {
    let what = activation.map { ["\(inputs) to \(outputs)", $0.summary] } ?? ["\(outputs) channels"]
    let numbers = [("decay", decay), ("epsilon", epsilon)].compactMap { name, value in value.map { "\(name) \($0)" } }
    let measure = measuredBy.map { ["measured as \($0.summary)"] } ?? []
    return ([kind.rawValue] + what + numbers + measure).joined(separator: ", ")
  }
}

extension Matrix {
  /// Takes a tensor's elements, row by row, for these columns.
  /// - Throws: ``DataError`` for the first element that is not finite in this precision.
  fileprivate mutating func assign(
    _ tensor: Safetensors.Tensor, columns: Range<Int>, place: String
  ) throws(DataError) {
    guard assign(tensor.elements, columns: columns) != nil else { return }
    throw DataError(
      place, expected: "numbers of \(tensor.name) that \(Scalar.self) can hold", found: "larger ones")
  }
}
