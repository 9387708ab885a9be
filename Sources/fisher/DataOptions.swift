import ArgumentParser
import FisherKit

/// The data that a model learns, or is tried on.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The data: fashion-mnist, synthetic, or a folder with the four IDX files (train-images-idx3-ubyte, "
        + "train-labels-idx1-ubyte and the same with t10k, gzip or plain) or with x_train.npy, y_train.npy, x_test.npy "
        + "and y_test.npy (y of integers: classes, of floats or of rows: numbers).", valueName: "dir"))
  var data = SyntheticData.name
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Samples for validation: the last N of the training files (default: a sixth), or N synthetic ones (default: "
        + "\(SyntheticData.usualValidation)).",
      valueName: "N"))
  var validation: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What synthetic features are multiplied by, in turn: 1,30,1000 makes a table that nobody standardised (default: 1).",
      valueName: "list"),
    transform: parseUnits)
  var units: [Double]?

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
    if let units { try refusing { try SyntheticData.requireUnits(units) } }
    if units != nil, data != SyntheticData.name {
      throw ValidationError("--units: expected --data synthetic, found \(data)")
    }
  }

  func load(seed: UInt64) throws -> DataSplit {
    switch data {
    case SyntheticData.name:
      try SyntheticData.make(
        validation: validation ?? SyntheticData.usualValidation, units: units ?? SyntheticData.usualUnits, seed: seed)
    case Self.fashionMNIST: try ImageFolder.load(path: ImageFolder.fashionMNIST, validationCount: validation)
    default:
      try ArrayFolder.isOne(path: data)
        ? ArrayFolder.load(path: data, validationCount: validation)
        : ImageFolder.load(path: data, validationCount: validation)
    }
  }

  private static let fashionMNIST = "fashion-mnist"
  private static let fashionClasses = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// What a model of so many outputs that learns them by a loss should be known by.
  func notes(for split: DataSplit, outputs: Int, loss: any Loss) -> ModelNotes {
    let names = data == Self.fashionMNIST ? Self.fashionClasses : []
    return ModelNotes(
      featureDivisor: split.samples.divisor, classNames: names.count == outputs ? names : nil,
      distribution: OutputDistribution(loss))
  }
}

extension Dataset {
  /// What the numbers of its files were divided by.
  var divisor: Double {
    switch features {
    case .bytes(_, let scale): 1 / scale
    case .floats: 1
    }
  }
}

private func parseUnits(_ text: String) throws -> [Double] {
  try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
    guard let unit = Double(part) else {
      throw ValidationError("expected numbers with commas between them, such as 1,30,1000, found \(text)")
    }
    return unit
  }
}
