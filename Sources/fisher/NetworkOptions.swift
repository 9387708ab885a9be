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
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What synthetic features are multiplied by, in turn: 1,30,1000 makes a table that nobody standardised (default: 1).",
      valueName: "list"),
    transform: parseUnits)
  var units: [Double]?
  @OptionGroup var activation: ActivationOptions
  @Flag(help: "Batch normalisation behind each layer but the last one, its scale without L2.") var batchNorm = false
  @Flag(help: "Let rngd measure each scale and shift of --batch-norm by its 2×2 block, not by the plain gradient.")
  var batchNormBlocks = false

  func validate() throws {
    guard !data.isEmpty else {
      throw ValidationError("--data: expected fashion-mnist, synthetic or a folder, found an empty name")
    }
    if let validation, validation < 1 {
      throw ValidationError("--validation: expected 1 or more samples, found \(validation)")
    }
    if let validation, data == SyntheticData.name, validation > 1_000_000 {
      throw ValidationError("--validation: expected 1 to 1000000 synthetic samples, found \(validation)")
    }
    if units != nil, data != SyntheticData.name {
      throw ValidationError("--units: expected --data synthetic, found \(data)")
    }
    if batchNormBlocks, !batchNorm {
      throw ValidationError("--batch-norm-blocks: expected --batch-norm, found a network without it")
    }
  }

  var batchNormalization: BatchNormalizationOptions? {
    batchNorm ? BatchNormalizationOptions(hasBlocks: batchNormBlocks) : nil
  }

  func shape(for data: DataSplit) -> [Int] { shape ?? [data.width, 80, 80, 80, data.classes] }

  func loadData(seed: UInt64) throws -> DataSplit {
    switch data {
    case SyntheticData.name: try SyntheticData.make(validation: validation ?? 2000, units: units ?? [1], seed: seed)
    case "fashion-mnist": try ImageFolder.load(path: ImageFolder.fashionMNIST, validationCount: validation)
    default: try ImageFolder.load(path: data, validationCount: validation)
    }
  }
}

private func parseUnits(_ text: String) throws -> [Double] {
  let units = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? 0 }
  guard !units.isEmpty, units.count <= 1000, units.allSatisfy({ $0.magnitude >= 1e-30 && $0.magnitude <= 1e30 }) else {
    throw ValidationError("expected numbers of magnitude 1e-30 to 1e30, such as 1,30,1000, found \(text)")
  }
  return units
}

private func parseShape(_ text: String) throws -> [Int] {
  let widths = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
  guard widths.count >= 2, widths.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
    throw ValidationError("expected two or more widths from 1 to 2147483647, such as 784,80,80,80,10, found \(text)")
  }
  return widths
}
