/// Trains a ``Sequential`` classifier: shuffled mini-batches, an optimizer's steps, and an evaluation after each epoch.
///
///     let data = try SyntheticData.make()
///     let model = try Sequential<Float>.perceptron(
///       shape: [data.width, 80, 80, 80, data.classes], activation: Relu(), batchCapacity: 50)
///     let optimizer = try RNGD<Float>(learningRate: 0.01, damping: 0.005, l2: 1e-3)
///     let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 50, seed: 0)
///     try trainer.run(epochs: 2) { event in
///       if case .epoch(let report) = event { print(report.epoch, report.training.loss) }
///     }
public final class Trainer<Scalar: KernelScalar> {
  public let model: Sequential<Scalar>
  public let optimizer: any Optimizer<Scalar>
  public let data: DataSplit
  public let batchSize: Int
  private var shuffler: SeededGenerator
  private var order: [Int32]
  /// The samples of a mini-batch, kept to be refilled.
  private var labels: [Int32]
  private var indices: [Int32]
  private var epochsDone = 0
  private var stepsDone = 0
  private var seconds = 0.0
  /// Takes the time of the parts of a step, where there is one.
  public var profile: StepProfile? {
    didSet {
      model.profile = profile
      (optimizer as? RNGD<Scalar>)?.profile = profile
    }
  }

  /// - Throws: ``DataError`` where the network does not fit the data, ``FisherError`` where memory does not suffice.
  public init(
    model: Sequential<Scalar>, optimizer: any Optimizer<Scalar>, data: DataSplit, batchSize: Int, seed: UInt64 = 0
  ) throws {
    precondition(batchSize > 0 && batchSize <= model.batchCapacity, "expected 1 to \(model.batchCapacity) samples")
    guard model.inputs == data.width else {
      throw DataError(
        data.name, expected: "\(model.inputs) features, the network's inputs", found: "\(data.width)")
    }
    guard model.outputs >= data.classes else {
      throw DataError(
        data.name, expected: "at most \(model.outputs) classes, the network's outputs", found: "\(data.classes)")
    }
    self.model = model
    self.optimizer = optimizer
    self.data = data
    self.batchSize = batchSize
    shuffler = SeededGenerator(seed: seed, stream: .shuffling)
    order = data.training.map { Int32($0) }
    labels = Array(repeating: 0, count: model.batchCapacity)
    indices = Array(repeating: 0, count: model.batchCapacity)
    try optimizer.prepare(for: model, batchSize: batchSize)
  }

  public var plan: TrainingPlan {
    TrainingPlan(
      trainingSamples: data.training.count, validationSamples: data.validation.count, testSamples: data.test.count,
      stepsPerEpoch: (order.count + batchSize - 1) / batchSize, modelBytes: model.bytes,
      optimizerBytes: optimizer.bytes, dataBytes: data.bytes, layers: (optimizer as? RNGD<Scalar>)?.plan ?? [])
  }

  /// Trains for `epochs` more epochs.
  /// - Throws: ``FisherError`` where a loss or a gradient is no longer finite (weights are looked at after each epoch)
  ///   or a matrix cannot be factored, and what `onEvent` throws. The weights are then as the last step left them.
  /// - Returns: the score on the test set.
  @discardableResult
  public func run(epochs: Int, onEvent: (TrainingEvent) throws -> Void = { _ in }) throws -> Score {
    try onEvent(.began(plan))
    for _ in 0..<epochs {
      try runEpoch(onEvent: onEvent)
      for parameter in model.parameters where !parameter.value.isFinite {
        throw FisherError.nonFinite(what: "weights of \(parameter.name)", step: stepsDone)
      }
      try onEvent(
        .epoch(
          EpochReport(
            epoch: epochsDone, step: stepsDone, seconds: seconds,
            training: try evaluate(data.samples, data.training),
            validation: try evaluate(data.samples, data.validation))))
    }
    let test = try evaluate(data.test, 0..<data.test.count)
    try onEvent(.finished(test: test))
    return test
  }

  private func runEpoch(onEvent: (TrainingEvent) throws -> Void) throws {
    shuffler.shuffle(&order)
    epochsDone += 1
    let clock = ContinuousClock()
    let steps = plan.stepsPerEpoch
    for step in 1...steps {
      let start = clock.now
      let first = (step - 1) * batchSize
      let count = min(batchSize, order.count - first)
      for k in 0..<count { indices[k] = order[first + k] }
      profile.measure(.gather, gatherWork(count)) { load(data.samples, count: count) }
      let score = model.gradients(labels: labels.span.extracting(first: count))
      stepsDone += 1
      guard score.loss.isFinite else { throw FisherError.nonFinite(what: "loss of the mini-batch", step: stepsDone) }
      let failures = try takeStep()
      seconds += (clock.now - start) / .seconds(1)
      for failure in failures { try onEvent(.survived(step: stepsDone, failure)) }
      try onEvent(.step(epoch: epochsDone, step: step, stepsPerEpoch: steps, loss: score.loss))
    }
  }

  /// RNGD takes the times of its own parts.
  private func takeStep() throws(FisherError) -> [FactorizationFailure] {
    if profile == nil || optimizer is RNGD<Scalar> { return try optimizer.step(model) }
    var failures: [FactorizationFailure] = []
    try profile.measure(.update, model.updateWork) { () throws(FisherError) in failures = try optimizer.step(model) }
    return failures
  }

  /// Bytes of the data read and numbers of the mini-batch written.
  private func gatherWork(_ count: Int) -> Work {
    let elements = Double(count * data.width)
    return Work(products: elements, bytes: elements * Double(1 + MemoryLayout<Scalar>.stride))
  }

  /// The mean score over samples of a set.
  public func evaluate(_ dataset: Dataset, _ samples: Range<Int>) throws -> Score {
    var total = (loss: 0.0, correct: 0)
    for first in stride(from: samples.lowerBound, to: samples.upperBound, by: model.batchCapacity) {
      let count = min(model.batchCapacity, samples.upperBound - first)
      for k in 0..<count { indices[k] = Int32(first + k) }
      load(dataset, count: count)
      let part = model.evaluate(labels: labels.span.extracting(first: count))
      total = (total.loss + part.loss, total.correct + part.correct)
    }
    guard total.loss.isFinite else { throw FisherError.nonFinite(what: "loss of the evaluation", step: stepsDone) }
    return Score(loss: total.loss / Double(samples.count), accuracy: Double(total.correct) / Double(samples.count))
  }

  /// Makes the first `count` of `indices` the mini-batch.
  private func load(_ dataset: Dataset, count: Int) {
    for k in 0..<count { labels[k] = dataset.labels[Int(indices[k])] }
    let chosen = indices
    dataset.gather(&model.input, indices: chosen.span.extracting(first: count))
  }
}
