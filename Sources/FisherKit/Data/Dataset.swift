/// Samples in memory: rows of features, each with its target: the number of its class, or numbers.
public struct Dataset: Sendable {
  /// The features, row by row: bytes as image files have them, or floats.
  public enum Features: Sendable {
    case bytes([UInt8], scale: Double)
    case floats([Float])
  }

  public let features: Features
  public let targets: Targets
  /// Features per sample.
  public let width: Int

  /// Samples with a class each.
  public init(features: Features, labels: [Int32], width: Int, classes: Int) {
    self.init(features: features, targets: .classes(labels, count: classes), width: width)
  }

  public init(features: Features, targets: Targets, width: Int) {
    let count =
      switch features {
      case .bytes(let bytes, _): bytes.count
      case .floats(let floats): floats.count
      }
    demand(width > 0 && count == targets.count * width, "\(count) features, expected \(targets.count) × \(width)")
    switch targets {
    case .classes(let labels, let classes):
      demand(labels.allSatisfy { $0 >= 0 && $0 < classes }, "a label outside 0 ..< \(classes)")
    case .numbers(let numbers, let width):
      demand(width > 0 && numbers.count % width == 0, "\(numbers.count) targets, expected rows of \(width)")
    }
    self.features = features
    self.targets = targets
    self.width = width
  }

  public var count: Int { targets.count }

  /// The class of each sample; none where targets are numbers.
  public var labels: [Int32] { if case .classes(let labels, _) = targets { labels } else { [] } }

  /// The number of classes; labels are 0 ..< classes. Where targets are numbers, how many each sample has.
  public var classes: Int { targets.outputs }

  /// The memory that features and targets take.
  public var bytes: Int {
    let features =
      switch features {
      case .bytes(let bytes, _): bytes.count
      case .floats(let floats): floats.count * MemoryLayout<Float>.stride
      }
    return features + targets.bytes
  }

  /// Makes `batch` X̃ (n, width + 1) the samples `indices` of this set in their order, bytes times their scale, with 1, the
  /// bias column, behind the features:
  ///
  ///     data.samples.gather(&model.input, indices: indices.span)
  ///     let labels = indices.map { data.samples.labels[Int($0)] }
  ///
  /// A sample may come more than once. It allocates nothing, and moves n · width features at the speed of memory. An index
  /// that is not in 0 ..< count, a batch of another width or with less room than there are indices is a programmer's
  /// mistake, and ends the process with words.
  public func gather<S: KernelScalar>(_ batch: inout Matrix<S>, indices: Span<Int32>) {
    demand(batch.columns == width + 1, "expected \(width + 1) columns, found \(batch.columns)")
    switch features {
    case .bytes(let bytes, let scale): batch.gather(bytes.span, rows: indices, scale: scale)
    case .floats(let floats): batch.gather(floats.span, rows: indices, scale: 1)
    }
  }
}

/// What a training run needs: samples to learn from, to choose settings by, and to judge by.
public struct DataSplit: Sendable {
  /// What it is, for reports: a path or a name.
  public let name: String
  /// The samples that `training` and `validation` index.
  public let samples: Dataset
  public let training: Range<Int>
  public let validation: Range<Int>
  public let test: Dataset

  /// The memory that both sets take.
  public var bytes: Int { samples.bytes + test.bytes }

  /// The last `validationCount` samples are for validation, the others for training.
  public init(name: String, samples: Dataset, validationCount: Int, test: Dataset) throws(DataError) {
    guard test.count > 0 else { throw DataError(name, expected: "at least one test sample", found: "none") }
    for set in [samples, test] where set.count > Int(Int32.max) {
      throw DataError(name, expected: "at most \(Int32.max) samples", found: "\(set.count)")
    }
    guard samples.count >= 2 else {
      throw DataError(
        name, expected: "at least 2 samples, to train and to validate", found: "\(samples.count)")
    }
    guard validationCount > 0, validationCount < samples.count else {
      throw DataError(
        name, expected: "a validation set of 1 to \(samples.count - 1) of its \(samples.count) samples",
        found: "\(validationCount)")
    }
    guard test.width == samples.width else {
      throw DataError(
        name, expected: "test samples of \(samples.width) features like the training samples",
        found: "\(test.width)")
    }
    guard test.targets.kind == samples.targets.kind else {
      throw DataError(
        name, expected: "test targets that are \(samples.targets.kind) like those of training",
        found: test.targets.kind)
    }
    self.name = name
    self.samples = samples
    training = 0..<(samples.count - validationCount)
    validation = (samples.count - validationCount)..<samples.count
    self.test = test
  }

  public var width: Int { samples.width }
  public var classes: Int { max(samples.classes, test.classes) }
}
