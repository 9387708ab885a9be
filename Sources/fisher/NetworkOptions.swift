import ArgumentParser
import FisherKit

/// The data and the network that learns them.
struct NetworkOptions: ParsableArguments {
  @OptionGroup var source: DataOptions
  @Option(
    help: ArgumentHelp("Widths, inputs first and classes last (default: inputs,80,80,80,classes).", valueName: "list"),
    transform: parseShape)
  var shape: [Int]?
  @Option(
    help: ArgumentHelp(
      "A description of the network in JSON, in place of --shape (fisher inspect --help has an example), or one that is built "
        + "in: \(ModelDescription.names.joined(separator: ", ")).", valueName: "file.json"))
  var model: String?
  @OptionGroup var activation: ActivationOptions
  @Flag(help: "Batch normalisation behind each layer but the last one, its scale without L2.") var batchNorm = false
  @Flag(help: "Let rngd measure each scale and shift of --batch-norm by its 2×2 block, not by the plain gradient.")
  var batchNormBlocks = false

  @Option(
    help: ArgumentHelp(
      "What outputs are judged by: \(LossName.all).", valueName: "name"))
  var loss = LossName.softmax

  func validate() throws {
    for (flag, isGiven) in [("--shape", shape != nil), ("--batch-norm", batchNorm)] where isGiven && model != nil {
      throw ValidationError("\(flag): expected it without --model, which says the layers, found both")
    }
    if batchNormBlocks, !batchNorm {
      throw ValidationError("--batch-norm-blocks: expected --batch-norm, found a network without it")
    }
  }

  var batchNormalization: BatchNormalizationOptions? {
    batchNorm ? BatchNormalizationOptions(hasBlocks: batchNormBlocks) : nil
  }

  /// What --model names.
  func description() throws -> ModelDescription? {
    guard let model else { return nil }
    return try ModelDescription.named(model) ?? ModelDescription(contentsOf: model)
  }

  func shape(for data: DataSplit) -> [Int] { shape ?? [data.width, 80, 80, 80, data.classes] }
}

private func parseShape(_ text: String) throws -> [Int] {
  let widths = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
  guard widths.count >= 2, widths.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
    throw ValidationError("expected two or more widths from 1 to 2147483647, such as 784,80,80,80,10, found \(text)")
  }
  return widths
}
