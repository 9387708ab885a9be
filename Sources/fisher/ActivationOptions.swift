import ArgumentParser
import FisherKit

/// An activation and its parameters.
struct ActivationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Of the neurons, or of the hidden layers (default in training: relu).", valueName: "name"))
  var activation: ActivationName?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Width ω of relu's bend in the metric; 0 is hard (default: 1).", valueName: "ω"))
  var omega: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Slope ι of the negative side of relu (default: 0) or leaky-relu (default: 0.01).", valueName: "ι"))
  var iota: Double?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Depth α of elu's negative side (default: 1).", valueName: "α"))
  var alpha: Double?

  func validate() throws {
    let name = activation ?? .relu
    if let omega {
      guard omega >= 0, omega <= 1e6 else {
        throw ValidationError("--omega: expected a number from 0 to 1e6, found \(omega)")
      }
      guard name == .relu else { throw ValidationError("--omega: expected --activation relu, found \(name)") }
    }
    if let iota {
      guard iota >= 0, iota < 1 else { throw ValidationError("--iota: expected a number in [0, 1), found \(iota)") }
      guard name == .relu || name == .leakyRelu else {
        throw ValidationError("--iota: expected --activation relu or leaky-relu, found \(name)")
      }
    }
    if let alpha {
      guard alpha >= 0, alpha <= 1e6 else {
        throw ValidationError("--alpha: expected a number from 0 to 1e6, found \(alpha)")
      }
      guard name == .elu else { throw ValidationError("--alpha: expected --activation elu, found \(name)") }
    }
  }

  /// What a network runs.
  var forward: any Activation { (activation ?? .relu).make(iota: iota, omega: 0, alpha: alpha) }
  /// What a metric measures.
  var metric: any Activation { (activation ?? .relu).make(iota: iota, omega: omega ?? 1, alpha: alpha) }
}

enum ActivationName: String, CaseIterable, ExpressibleByArgument, CustomStringConvertible {
  case relu, tanh, sigm, elu, linear, softplus
  case leakyRelu = "leaky-relu"
  case gelu, silu

  /// As the flag has it.
  var description: String { rawValue }

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }

  func make(iota: Double? = nil, omega: Double = 1, alpha: Double? = nil) -> any Activation {
    switch self {
    case .relu: Relu(iota: iota ?? 0, omega: omega)
    case .tanh: Tanh()
    case .sigm: Sigm()
    case .elu: Elu(alpha: alpha ?? 1)
    case .linear: Linear()
    case .softplus: Softplus()
    case .leakyRelu: LeakyRelu(iota: iota ?? 0.01)
    case .gelu: Gelu()
    case .silu: Silu()
    }
  }
}
