import ArgumentParser
import FisherKit

/// A model in a file, and the data that it is tried on.
struct ModelInput: ParsableArguments {
  @Argument(help: ArgumentHelp("The model, as fisher train --save writes it.", valueName: "model.safetensors"))
  var model: String
  @OptionGroup var source: DataOptions
  @Option(help: ArgumentHelp("Which of the data: \(SplitName.all).", valueName: "name")) var split = SplitName.test
  @Option(parsing: .unconditional, help: "Seed of the synthetic data: that of the training run.")
  var seed: UInt64 = 0

  /// Samples that fit the model.
  struct Samples {
    let name: String
    let dataset: Dataset
    let range: Range<Int>
  }

  /// The model's file, and the samples once they are known to fit it.
  /// - Throws: ``DataError`` where they do not.
  func load() throws -> (file: ModelFile, samples: Samples) {
    let file = try ModelFile(path: model)
    guard file.inputExtent.positions == 1, file.outputExtent.positions == 1 else {
      throw DataError(
        model, expected: "a model of one row a sample", found: "\(file.inputExtent) to \(file.outputExtent)")
    }
    let data = try source.load(seed: seed)
    guard data.width == file.inputs else {
      throw DataError(data.name, expected: "\(file.inputs) features, the model's inputs", found: "\(data.width)")
    }
    if file.distribution == .categorical, case .classes = data.samples.targets {
      guard data.classes <= file.outputs else {
        throw DataError(
          data.name, expected: "at most \(file.outputs) classes, the model's outputs", found: "\(data.classes)")
      }
    } else {
      let loss = try file.distribution.loss()
      for set in [data.samples, data.test] {
        try loss.validate(set.targets, outputs: file.outputs, of: data.name)
      }
    }
    if let divisor = file.notes.featureDivisor, abs(divisor - data.samples.divisor) > 1e-9 * divisor {
      throw DataError(
        data.name, expected: "features divided by \(divisor), as the model learned them",
        found: "features divided by \(data.samples.divisor)")
    }
    switch split {
    case .train: return (file, Samples(name: data.name, dataset: data.samples, range: data.training))
    case .validation: return (file, Samples(name: data.name, dataset: data.samples, range: data.validation))
    case .test: return (file, Samples(name: data.name, dataset: data.test, range: 0..<data.test.count))
    }
  }
}

enum SplitName: String, CaseIterable, ExpressibleByArgument {
  case train, validation, test

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
