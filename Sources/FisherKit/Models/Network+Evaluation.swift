/// What a network makes of some samples.
public struct Evaluation: Equatable, Sendable {
  public var score: Score
  /// How many samples of class i (row) were taken for class j (column).
  public var confusion: [[Int]]

  public init(score: Score, confusion: [[Int]]) { (self.score, self.confusion) = (score, confusion) }

  /// The fraction with the right class.
  public var accuracy: Double { score.accuracy ?? 0 }
}

/// See ``Network/samplesAtATime``.
package func evaluatedSamples(widest: Int) -> Int { max(1, min(1000, (1 << 21) / max(1, widest))) }

/// The most numbers that go into or out of a layer for a sample.
package func widest<S: KernelScalar>(of layers: [any Layer<S>]) -> Int {
  layers.reduce(0) { most, layer in
    let parts = (layer as? any KeepableLayer<S>)?.keptParts.map(\.layer) ?? []
    return max(most, layer.inputExtent.elements, layer.outputExtent.elements, widest(of: parts))
  }
}

extension Network {
  /// The most samples that pass through at a time when a set does: a thousand, or as many as 2²¹ numbers of the widest layer
  /// are. It is the same whatever mini-batches a network is made for, so that sums over samples are parted alike, and come out
  /// alike to the last digit.
  package var samplesAtATime: Int {
    let layers = (self as? Sequential<Scalar>)?.layers ?? []
    return evaluatedSamples(widest: max(widest(of: layers), inputExtent.elements, outputExtent.elements))
  }

  /// Refuses what samples of a set cannot be passed through: each is a row of features, with a target.
  func requireFit(width: Int, name: String) throws {
    guard width == inputs else {
      throw DataError(name, expected: "\(inputs) features, the network's inputs", found: "\(width)")
    }
    guard inputExtent.positions == 1, outputExtent.positions == 1 else {
      throw FisherError.invalidArgument(
        what: "network", expected: "a row for each sample in and out, as a Dataset has them",
        found: "\(inputExtent) to \(outputExtent)")
    }
  }

  /// Passes samples of a set through, the evaluation pass, up to a thousand at a time, and hands the logits (n, outputs) of
  /// each part to `body` with the first of its samples.
  /// - Throws: ``DataError`` where the set is of another width; what `body` throws.
  public func predict(
    _ dataset: Dataset, _ samples: Range<Int>, name: String = "data",
    _ body: (_ first: Int, _ logits: borrowing Matrix<Scalar>) throws -> Void
  ) throws {
    try requireFit(width: dataset.width, name: name)
    let part = min(batchCapacity, samplesAtATime)
    for first in stride(from: samples.lowerBound, to: samples.upperBound, by: part) {
      let indices = (first..<min(first + part, samples.upperBound)).map { Int32($0) }
      dataset.gather(&input, indices: indices.span)
      try predict { logits in try body(first, logits) }
    }
  }

  /// The probabilities of the classes, row by row, for samples of a set.
  /// - Throws: ``DataError`` where the set is of another width, or a sample comes out as something that is not finite.
  public func probabilities(
    _ dataset: Dataset, _ samples: Range<Int>, name: String = "data"
  ) throws -> [Scalar] {
    try means(of: .categorical, dataset, samples, name: name)
  }

  /// What is expected of samples of a set, row by row: the probabilities of classes or labels, or the numbers.
  /// - Throws: ``DataError`` where the set is of another width, or a sample comes out as something that is not finite.
  public func means(
    of distribution: OutputDistribution, _ dataset: Dataset, _ samples: Range<Int>, name: String = "data"
  ) throws -> [Scalar] {
    var result: [Scalar] = []
    result.reserveCapacity(samples.count * outputs)
    var means = try Matrix<Scalar>(rows: batchCapacity, columns: outputs, what: "what is expected of samples")
    try predict(dataset, samples, name: name) { first, z in
      means.resize(rows: z.rows)
      distribution.means(&means, of: z)
      for row in 0..<means.rows {
        let start = result.count
        for column in 0..<means.columns { result.append(means[row, column]) }
        guard result[start...].allSatisfy(\.isFinite) else { throw notFinite(sample: first + row, name) }
      }
    }
    return result
  }

  /// The class with the largest logit, the first of equal ones, for samples of a set.
  public func classes(_ dataset: Dataset, _ samples: Range<Int>, name: String = "data") throws -> [Int] {
    var result: [Int] = []
    result.reserveCapacity(samples.count)
    try predict(dataset, samples, name: name) { first, logits in
      for row in 0..<logits.rows {
        let best = logits.largest(inRow: row)
        guard logits[row, best].isFinite else { throw notFinite(sample: first + row, name) }
        result.append(best)
      }
    }
    return result
  }

  /// The mean score over samples of a set, and what they were taken for.
  /// - Throws: ``DataError`` where the set is of another width or has more classes, or the loss is not finite;
  ///   ``FisherError`` for thousands of classes, whose table is too large.
  public func evaluate(
    _ dataset: Dataset, _ samples: Range<Int>, name: String = "data"
  ) throws -> Evaluation {
    let loss = SoftmaxCrossEntropy()
    try loss.validate(dataset.targets, outputs: outputs, of: name)
    let cells = outputs.multipliedReportingOverflow(by: outputs)
    guard !cells.overflow, cells.partialValue <= 1 << 24 else {
      throw FisherError.exceedsMemoryCap(
        what: "confusion matrix of \(outputs) classes", bytes: cells.overflow ? Int.max : cells.partialValue << 3,
        cap: 1 << 27, instead: "evaluate(labels:) gives the score without it")
    }
    var confusion = Array(repeating: Array(repeating: 0, count: outputs), count: outputs)
    let score = try score(dataset, samples, loss, name: name) { targets, logits in
      for row in 0..<logits.rows { confusion[Int(targets.classes[row])][logits.largest(inRow: row)] += 1 }
    }
    guard score.loss.isFinite else {
      throw DataError(name, expected: "samples whose loss is finite", found: "\(score.loss)")
    }
    return Evaluation(score: score, confusion: confusion)
  }

  /// The mean score over samples of a set, and what else is measured.
  /// - Throws: ``DataError`` where the set is of another width or its targets do not fit the loss, or the loss is not finite.
  public func evaluate(
    _ dataset: Dataset, _ samples: Range<Int>, loss: any Loss, measures: [any Measure] = [], name: String = "data"
  ) throws -> (score: Score, measures: [String: Double]) {
    try loss.validate(dataset.targets, outputs: outputs, of: name)
    var sums = MeasureSums(measures)
    let score = try score(dataset, samples, loss, name: name) { targets, outputs in sums.add(outputs, targets: targets)
    }
    guard score.loss.isFinite else {
      throw DataError(name, expected: "samples whose loss is finite", found: "\(score.loss)")
    }
    return (score, sums.values)
  }

  /// The mean score over samples of a set, whose targets fit the loss; `body` sees each part of them.
  func score(
    _ dataset: Dataset, _ samples: Range<Int>, _ loss: any Loss, name: String,
    _ body: (_ targets: TargetBatch<Scalar>, _ outputs: borrowing Matrix<Scalar>) -> Void = { _, _ in }
  ) throws -> Score {
    let targets = try TargetBatch<Scalar>(
      like: dataset.targets, capacity: min(batchCapacity, samplesAtATime, samples.count))
    var (sum, rows): (LossSum?, Int) = (nil, 0)
    try predict(dataset, samples, name: name) { first, outputs in
      let part = (first..<(first + outputs.rows)).map { Int32($0) }
      targets.load(dataset.targets, samples: part.span)
      let added = loss.sum(outputs, targets: targets)
      sum = sum.map { $0 + added } ?? added
      rows += outputs.rows
      body(targets, outputs)
    }
    return Score(sum ?? LossSum(loss: 0), samples: samples.count, rows: rows)
  }
}

extension Loss {
  /// Refuses the targets of a set.
  package func validate(_ targets: Targets, outputs: Int, of name: String) throws(DataError) {
    do {
      try validate(targets, outputs: outputs)
    } catch .invalidArgument(_, let expected, let found) {
      throw DataError(name, expected: expected, found: found)
    } catch {
      throw DataError(name, expected: "targets for \(self)", found: "\(error)")
    }
  }
}

private func notFinite(sample: Int, _ name: String) -> DataError {
  DataError(name, expected: "samples whose outputs are finite", found: "sample \(sample), whose are not")
}

extension Matrix {
  /// The column of the largest element, the first of equal ones.
  fileprivate func largest(inRow row: Int) -> Int {
    var best = 0
    for column in 1..<max(1, columns) where self[row, column] > self[row, best] { best = column }
    return best
  }
}
