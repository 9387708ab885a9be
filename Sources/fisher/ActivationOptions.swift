import ArgumentParser
import FisherKit

/// An activation and its parameters.
struct ActivationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Of the neurons, or of the hidden layers (default in training: \(ActivationName.usual)).", valueName: "name"))
  var activation: ActivationName?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Width ω of relu's bend in the metric; 0 is hard (default: \(short(Relu.metricOmega))).", valueName: "ω"))
  var omega: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Slope ι of the negative side of relu (default: \(short(Relu().iota))) or leaky-relu (default: "
        + "\(short(LeakyRelu().iota))).", valueName: "ι"))
  var iota: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Depth α of elu's negative side (default: \(short(Elu().alpha))).", valueName: "α"))
  var alpha: Double?

  func validate() throws {
    let kind = (activation ?? .usual).kind
    for (parameter, isGiven) in [("omega", omega != nil), ("iota", iota != nil), ("alpha", alpha != nil)]
    where isGiven && kind.parameters[parameter] == nil {
      let takers = builtInActivations.filter { $0.parameters[parameter] != nil }.map(\.name)
      throw ValidationError(
        "--\(parameter): expected --activation \(takers.joined(separator: " or ")), found \(kind.name)")
    }
    try refusing { _ = (try forward, try metric) }
  }

  /// What a network runs.
  var forward: any Activation {
    get throws { try (activation ?? .usual).make(iota: iota, omega: 0, alpha: alpha) }
  }
  /// What a metric measures.
  var metric: any Activation {
    get throws { try (activation ?? .usual).make(iota: iota, omega: omega, alpha: alpha) }
  }
}

/// One of the library's activations.
struct ActivationName: ExpressibleByArgument, CustomStringConvertible {
  /// The one with the usual parameters.
  let kind: any Activation

  static var usual: ActivationName { ActivationName(kind: Relu()) }
  static var allValueStrings: [String] { builtInActivations.map(\.name) }

  private init(kind: any Activation) { self.kind = kind }

  init?(argument: String) {
    guard let kind = builtInActivations.first(where: { $0.name == argument }) else { return nil }
    self.init(kind: kind)
  }

  /// As the flag has it.
  var description: String { kind.name }

  /// - Parameter omega: by default a metric's.
  func make(iota: Double? = nil, omega: Double? = nil, alpha: Double? = nil) throws -> any Activation {
    switch kind {
    case let usual as Relu: try Relu(iota: iota ?? usual.iota, omega: omega ?? Relu.metricOmega)
    case let usual as LeakyRelu: try LeakyRelu(iota: iota ?? usual.iota)
    case let usual as Elu: try Elu(alpha: alpha ?? usual.alpha)
    default: kind
    }
  }
}
