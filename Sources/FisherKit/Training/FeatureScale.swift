/// The scale of a data set's features, and a network's start by it.
///
/// Weights start Glorot-uniform, for inputs of about unit scale. Those of a table that nobody standardised, in euros or in
/// seconds, would make pre-activations and logits of thousands, from which hardly any optimizer finds back: of a feature j
/// whose root mean square is above ``limit``, the starting weights are divided by it.
struct FeatureScale {
  /// √(mean x_j²) over some training samples; of numbers that are finite.
  let rootMeanSquares: [Double]

  /// Features beyond this are out of scale.
  static var limit: Double { 3 }
  /// Samples that are looked at, evenly taken.
  static var samples: Int { 1000 }

  init(of dataset: Dataset, _ range: Range<Int>) {
    let step = max(1, range.count / Self.samples)
    var (sums, count) = ([Double](repeating: 0, count: dataset.width), 0)
    for sample in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      for j in sums.indices {
        let x = dataset.feature(j, of: sample)
        if x.isFinite { sums[j] += x * x }
      }
      count += 1
    }
    rootMeanSquares = sums.map { ($0 / Double(max(1, count))).squareRoot() }
  }

  /// How many features are beyond ``limit``.
  var outOfScale: Int { rootMeanSquares.count { $0 > Self.limit } }

  /// Starts a network in the units of its features, where nothing was learned yet.
  /// - Returns: how many features that concerned.
  func start<S: KernelScalar>(_ model: any Network<S>) -> Int {
    guard outOfScale > 0 else { return 0 }
    let scales = rootMeanSquares.map { $0 > Self.limit ? 1 / $0 : 1 }
    return model.rescaleStart(by: scales) ? outOfScale : 0
  }
}

extension Dataset {
  /// Feature j of a sample.
  func feature(_ j: Int, of sample: Int) -> Double {
    switch features {
    case .bytes(let bytes, let scale): Double(bytes[sample * width + j]) * scale
    case .floats(let floats): Double(floats[sample * width + j])
    }
  }
}
