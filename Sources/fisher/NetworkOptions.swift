import ArgumentParser
import FisherKit

/// The data and the network that learns them.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What to learn: fashion-mnist, synthetic, or a folder with the four IDX files (train-images-idx3-ubyte, "
        + "train-labels-idx1-ubyte and the same with t10k, gzip or plain).", valueName: "dir"))
  var data = SyntheticData.name
  @Option(
    help: ArgumentHelp("Widths, inputs first and classes last (default: inputs,80,80,80,classes).", valueName: "list"),
    transform: parseShape)
  var shape: [Int]?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Samples for validation: the last N of the training files (default: a sixth), or N synthetic ones (default: 2000).",
      valueName: "N"))
  var validation: Int?
  @Option(help: ArgumentHelp("\(ActivationName.all) of the hidden layers.", valueName: "name"))
  var activation = ActivationName.relu
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
    if let omega {
      guard omega >= 0, omega <= 1e6 else {
        throw ValidationError("--omega: expected a number from 0 to 1e6, found \(omega)")
      }
      guard activation == .relu else {
        throw ValidationError("--omega: expected --activation relu, found \(activation)")
      }
    }
    if let iota {
      guard iota >= 0, iota < 1 else { throw ValidationError("--iota: expected a number in [0, 1), found \(iota)") }
      guard activation == .relu || activation == .leakyRelu else {
        throw ValidationError("--iota: expected --activation relu or leaky-relu, found \(activation)")
      }
    }
    if let alpha {
      guard alpha >= 0, alpha <= 1e6 else {
        throw ValidationError("--alpha: expected a number from 0 to 1e6, found \(alpha)")
      }
      guard activation == .elu else { throw ValidationError("--alpha: expected --activation elu, found \(activation)") }
    }
    guard !data.isEmpty else {
      throw ValidationError("--data: expected fashion-mnist, synthetic or a folder, found an empty name")
    }
    if let validation, validation < 1 {
      throw ValidationError("--validation: expected 1 or more samples, found \(validation)")
    }
    if let validation, data == SyntheticData.name, validation > 1_000_000 {
      throw ValidationError("--validation: expected 1 to 1000000 synthetic samples, found \(validation)")
    }
  }

  /// What the network runs.
  var forwardActivation: any Activation {
    switch activation {
    case .relu: Relu(iota: iota ?? 0)
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

  /// What the metric measures.
  var metricActivation: any Activation {
    activation == .relu ? Relu(iota: iota ?? 0, omega: omega ?? 1) : forwardActivation
  }

  func loadData(seed: UInt64) throws -> DataSplit {
    switch data {
    case SyntheticData.name: try SyntheticData.make(validation: validation ?? 2000, seed: seed)
    case "fashion-mnist": try ImageFolder.load(path: ImageFolder.fashionMNIST, validationCount: validation)
    default: try ImageFolder.load(path: data, validationCount: validation)
    }
  }
}

enum ActivationName: String, CaseIterable, ExpressibleByArgument, CustomStringConvertible {
  case relu, tanh, sigm, elu, linear, softplus
  case leakyRelu = "leaky-relu"
  case gelu, silu

  /// As the flag has it.
  var description: String { rawValue }

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

private func parseShape(_ text: String) throws -> [Int] {
  let widths = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
  guard widths.count >= 2, widths.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
    throw ValidationError("expected two or more widths from 1 to 2147483647, such as 784,80,80,80,10, found \(text)")
  }
  return widths
}
