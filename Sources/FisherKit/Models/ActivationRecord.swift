/// An activation as files have it: its name and its numbers. ``KeptLayer/activation(_:)`` makes it again.
public struct ActivationRecord: Codable, Equatable, Sendable {
  var name: String
  var parameters: [String: Double]

  /// - Parameter place: names the file and the layer in an error.
  /// - Throws: ``DataError`` where it could not be made again from a file.
  public init(_ activation: any Activation, place: String) throws(DataError) {
    name = activation.name
    parameters = activation.parameters
    let known = builtInActivations.first { $0.name == activation.name }
    if let known, type(of: known) != type(of: activation) {
      throw DataError(
        place, expected: "an activation with a name of its own",
        found: "\(type(of: activation)) called \(activation.name)")
    }
    guard parameters.values.allSatisfy(\.isFinite),
      let again = type(of: activation).init(parameters: parameters), again.name == name,
      again.parameters == parameters
    else {
      throw DataError(
        place, expected: "activations that can be made again (Activation.init(parameters:))", found: "\(activation)")
    }
  }

  /// - Parameter others: one of each further kind that may be meant.
  func activation(others: [any Activation], place: String) throws(DataError) -> any Activation {
    let kinds = builtInActivations + others
    guard let kind = kinds.first(where: { $0.name == name }) else {
      throw DataError(
        place, expected: "an activation that is known (\(kinds.map(\.name).joined(separator: ", ")))",
        found: shortText(name))
    }
    guard let activation = type(of: kind).init(parameters: parameters) else {
      let numbers = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      throw DataError(
        place, expected: "the parameters of an activation \(name)",
        found: numbers.isEmpty ? "none" : shortText(numbers))
    }
    return activation
  }

  var summary: String {
    let numbers = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return numbers.isEmpty ? name : "\(name) (\(numbers.joined(separator: ", ")))"
  }
}

/// What a layer's Fisher matrix is, as files have it. ``KeptLayer/subsystem(_:)`` makes it again.
public struct SubsystemRecord: Codable, Equatable, Sendable {
  var kind: String
  /// Of a non-linear layer: the activation that measures.
  var activation: ActivationRecord?
  /// Of a linear layer.
  var sigma: Double?

  /// - Parameter place: names the file and the layer in an error.
  /// - Throws: ``DataError`` for one that could not be made again from a file.
  public init(_ subsystem: any Subsystem, place: String) throws(DataError) {
    switch subsystem {
    case let layer as NonlinearLayer:
      kind = "non-linear"
      activation = try ActivationRecord(layer.activation, place: place)
    case let layers as TwoLayers:
      // (that it is a pair is said of the network, which makes it one again)
      kind = "non-linear"
      activation = try ActivationRecord(layers.hidden, place: place)
    case let layer as LinearLayer:
      kind = "linear"
      sigma = layer.sigma
    case is SoftmaxLayer: kind = "softmax"
    case is BatchNorm: kind = "batch normalisation"
    case is ScaleNorm: kind = "scale"
    default:
      throw DataError(
        place, expected: "a non-linear, linear or softmax layer or a batch normalisation as subsystem",
        found: "\(type(of: subsystem))")
    }
  }

  func subsystem(others: [any Activation], place: String) throws(DataError) -> any Subsystem {
    switch (kind, activation, sigma) {
    case ("non-linear", let activation?, nil):
      return NonlinearLayer(try activation.activation(others: others, place: place))
    case ("linear", nil, let sigma?):
      do {
        return try LinearLayer(sigma: sigma)
      } catch {
        throw DataError(place, expected: "a σ that a linear layer can have", found: "\(sigma)")
      }
    case ("softmax", nil, nil): return SoftmaxLayer()
    case ("batch normalisation", nil, nil): return BatchNorm()
    default:
      throw DataError(
        place, expected: "a subsystem that is known, with what belongs to it", found: shortText(kind))
    }
  }

  var summary: String {
    if let activation { return "\(kind), ν of \(activation.summary)" }
    return sigma.map { "\(kind), σ \($0)" } ?? kind
  }
}
