/// Trains a ``Network`` by a ``Loss``: shuffled mini-batches, an optimizer's steps, and an evaluation after each epoch.
///
/// A network that has learned nothing yet starts in the units of its data: where a feature's root mean square is above 3,
/// the first layer's starting weights for it are divided by that. What goes wrong is survived as ``Recovery`` says.
///
///     let data = try SyntheticData.make()
///     let model = try Sequential<Float>.perceptron(
///       shape: [data.width, 80, 80, 80, data.classes], activation: Relu(), batchCapacity: 50)
///     let optimizer = try RNGD<Float>(decay: .l2(1e-3))
///     let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 50, seed: 0)
///     try trainer.run(epochs: 2) { event in
///       if case .epoch(let report) = event { print(report.epoch, report.training.loss) }
///     }
public final class Trainer<Scalar: KernelScalar> {
  public let model: any Network<Scalar>
  public let optimizer: any Optimizer<Scalar>
  public let data: DataSplit
  public let loss: any Loss
  /// What else the validation set is measured by after each epoch.
  public let measures: [any Measure]
  public let batchSize: Int
  /// Of the shuffling.
  public let seed: UInt64
  public let stopping: EarlyStopping?
  /// The epochs that schedules count on.
  let plannedEpochs: Int?
  /// γ when it was made.
  let firstLearningRate: Double
  /// Found when a checkpoint first asks for it.
  var knownConfiguration: TrainingConfiguration?
  /// A text of one's own that is kept with the state, such as the lines of a log so far.
  public var journal = ""
  var shuffler: SeededGenerator
  var order: [Int32]
  /// The samples of a mini-batch, kept to be refilled.
  let targets: TargetBatch<Scalar>
  var indices: [Int32]
  /// Epochs that ended, the steps of the one under way, and all steps.
  public internal(set) var epochsDone = 0
  public internal(set) var stepsOfEpoch = 0
  public internal(set) var stepsDone = 0
  var seconds = 0.0
  /// Of the epoch that has just ended.
  var validationLoss: Double?
  let recovery: Recovery
  private let rescaledFeatures: Int
  /// Evaluates the training set after every so many steps, within epochs; by default at their ends alone.
  public var stepsBetweenEvaluations: Int?
  let watch: RecoveryWatch<Scalar>
  let best: BestEpoch<Scalar>?
  /// Steps that the trust region had bound before this epoch.
  var boundBefore: [Int] = []
  private var optimizerMeasures = false
  /// Takes the time of the parts of a step, where there is one.
  public var profile: StepProfile? {
    didSet {
      model.profile = profile
      optimizerMeasures = optimizer.measure(by: profile)
    }
  }

  /// - Parameters:
  ///   - loss: what the network's outputs are judged by; its last subsystem is to be ``Loss/outputSubsystem``.
  ///   - epochs: that schedules count on, whatever is run at a time; by default those of each ``run(epochs:onEvent:)``.
  ///   - stopping: ends training when it no longer gets better, with the weights of the best epoch; by default it does not.
  /// - Throws: ``DataError`` where the network does not fit the data, ``FisherError`` where memory does not suffice or a
  ///   setting is out of its range.
  public init(
    model: any Network<Scalar>, optimizer: any Optimizer<Scalar>, data: DataSplit, batchSize: Int,
    loss: any Loss = SoftmaxCrossEntropy(), measures: [any Measure] = [], stopping: EarlyStopping? = nil,
    epochs: Int? = nil, seed: UInt64 = 0, recovery: Recovery = Recovery()
  ) throws {
    try require(
      batchSize > 0 && batchSize <= model.batchCapacity, "mini-batch", expected: "1 to \(model.batchCapacity) samples",
      found: batchSize)
    try recovery.validate()
    try model.requireFit(width: data.width, name: data.name)
    for set in [data.samples, data.test] { try loss.validate(set.targets, outputs: model.outputs, of: data.name) }
    try require(
      Set(measures.map(\.name)).count == measures.count, "measures", expected: "names of their own",
      found: measures.map(\.name).joined(separator: ", "))
    try stopping?.validate(measures: measures.map(\.name))
    self.model = model
    self.optimizer = optimizer
    self.data = data
    self.batchSize = batchSize
    (self.seed, self.stopping) = (seed, stopping)
    shuffler = SeededGenerator(seed: seed, stream: .shuffling)
    order = data.training.map { Int32($0) }
    (self.loss, self.measures) = (loss, measures)
    targets = try TargetBatch(like: data.samples.targets, capacity: batchSize)
    indices = Array(repeating: 0, count: batchSize)
    self.recovery = recovery
    rescaledFeatures = FeatureScale(of: data.samples, data.training).start(model)
    watch = try RecoveryWatch(model: model, batchSize: batchSize)
    try optimizer.prepare(for: model, batchSize: batchSize)
    plannedEpochs = epochs
    optimizer.expect(
      RunLength(stepsPerEpoch: Double((data.training.count + batchSize - 1) / batchSize), epochs: epochs))
    firstLearningRate = optimizer.learningRate
    best = try stopping.map { try BestEpoch($0, model: model) }
  }

  public var plan: TrainingPlan {
    TrainingPlan(
      trainingSamples: data.training.count, validationSamples: data.validation.count, testSamples: data.test.count,
      stepsPerEpoch: stepsPerEpoch, modelBytes: model.bytes + watch.bytes + (best?.bytes ?? 0),
      optimizerBytes: optimizer.bytes, dataBytes: data.bytes, rescaledFeatures: rescaledFeatures,
      layers: optimizer.plan)
  }

  var stepsPerEpoch: Int { (order.count + batchSize - 1) / batchSize }

  /// Trains for `epochs` more epochs, none where that is negative; one that was under way when the trainer's state was saved
  /// is the first of them. What goes wrong is survived as ``Recovery`` says, and reported.
  ///
  /// The weights are afterwards those that the test score is of: averages of them, where the optimizer keeps some
  /// (``AveragedWeights``), until the next run.
  ///
  /// In a `step` or an `epoch`, the state of the trainer is that after all that the step came to: a checkpoint may be written
  /// there.
  /// - Throws: ``FisherError/diverged(step:what:timesBack:)`` where that has been done as often as it may; and what
  ///   `onEvent` throws. The weights are then as the last step left them.
  /// - Returns: the score on the test set.
  @discardableResult
  public func run(epochs: Int, onEvent: (TrainingEvent) throws -> Void = { _ in }) throws -> Score {
    if plannedEpochs == nil {
      optimizer.expect(RunLength(stepsPerEpoch: Double(stepsPerEpoch), epochs: epochsDone + max(0, epochs)))
    }
    optimizer.endEvaluation(model)
    try onEvent(.began(plan))
    for _ in 0..<max(0, epochs) where best?.isOver != true {
      try runEpoch(onEvent: onEvent)
      let report = try report(onEvent: onEvent)
      (epochsDone, stepsOfEpoch, validationLoss) = (epochsDone + 1, 0, report.validation.loss)
      try best?.note(report, of: model)
      optimizer.endEvaluation(model)
      try onEvent(.epoch(report))
    }
    if let best, best.epoch > 0 {
      if best.isOver { try onEvent(.stoppedEarly(epoch: epochsDone, best: best.epoch)) }
      try best.restore(model)
    } else {
      optimizer.beginEvaluation(model)
    }
    let test = try evaluate(data.test, 0..<data.test.count)
    try onEvent(.finished(test: test))
    return test
  }

  private func runEpoch(onEvent: (TrainingEvent) throws -> Void) throws {
    if stepsOfEpoch == 0 {
      shuffler.shuffle(&order)
      boundBefore = optimizer.boundSteps.map(\.steps)
    }
    let clock = ContinuousClock()
    let steps = stepsPerEpoch
    while stepsOfEpoch < steps {
      let start = clock.now
      let first = stepsOfEpoch * batchSize
      let count = min(batchSize, order.count - first)
      for k in 0..<count { indices[k] = order[first + k] }
      profile.measure(.gather, gatherWork(count)) { load(data.samples, count: count) }
      let score = model.gradients(loss, targets: targets)
      (stepsDone, stepsOfEpoch, validationLoss) = (stepsDone + 1, stepsOfEpoch + 1, nil)
      let (incidents, fault) = try takeStep(loss: score.loss)
      seconds += (clock.now - start) / .seconds(1)
      for incident in incidents { try onEvent(.survived(incident)) }
      if let fault { try goBack(fault, onEvent: onEvent) }
      try evaluateIfDue(onEvent: onEvent)
      try onEvent(
        .step(epoch: epochsDone + 1, step: stepsOfEpoch, stepsPerEpoch: steps, loss: score.loss))
    }
  }

  private func evaluateIfDue(onEvent: (TrainingEvent) throws -> Void) throws {
    guard let every = stepsBetweenEvaluations, every > 0, stepsDone % every == 0, stepsOfEpoch < stepsPerEpoch else {
      return
    }
    optimizer.beginEvaluation(model)
    defer { optimizer.endEvaluation(model) }
    // (weights that are no numbers are the epoch's end's matter)
    guard model.hasFiniteWeights, let score = try? evaluate(data.samples, data.training) else { return }
    try onEvent(.evaluated(step: stepsDone, seconds: seconds, training: score))
  }

  /// A step from the gradients of a mini-batch with this loss.
  /// - Returns: what was survived, and why the weights have to go back, if they have to.
  private func takeStep(loss: Double) throws(FisherError) -> (incidents: [Incident], fault: String?) {
    if loss.isFinite {
      do throws(FisherError) {
        let incidents = try step()
        if optimizer.wantsLossAfterStep { noteLossAfterStep(loss) }
        let isExploding = watch.note(loss: loss, of: model)
        return (incidents, isExploding ? "a loss of \(watch.recentLoss)" : nil)
      } catch {
        guard case .nonFinite(let what, _) = error else { throw error }
        return leaveOut(what)
      }
    }
    return leaveOut("loss")
  }

  /// Passes the mini-batch through once more, for an optimizer that wants to know.
  private func noteLossAfterStep(_ loss: Double) {
    let after = model.forward { outputs in self.loss.sum(outputs, targets: targets).loss }
    optimizer.note(loss: loss, after: after / Double(model.samples))
  }

  private func leaveOut(_ what: String) -> (incidents: [Incident], fault: String?) {
    let isTooMuch = watch.noteLeftOut(of: model) || recovery.attempts == 0
    return (
      [Incident(step: stepsDone, layer: what, remedy: .batchLeftOut)],
      isTooMuch ? "\(what) that is not finite" : nil
    )
  }

  private func goBack(_ fault: String, onEvent: (TrainingEvent) throws -> Void) throws {
    guard watch.timesBack < recovery.attempts else {
      throw FisherError.diverged(step: stepsDone, what: fault, timesBack: watch.timesBack)
    }
    optimizer.endEvaluation(model)
    watch.goBack(model)
    optimizer.restart()
    optimizer.learningRate /= 2
    try onEvent(
      .survived(
        Incident(step: stepsDone, layer: fault, remedy: .wentBack, learningRate: optimizer.learningRate)))
  }

  /// The losses at an epoch's end, of weights for which there are some; those that are evaluated stay in place.
  private func report(onEvent: (TrainingEvent) throws -> Void) throws -> EpochReport {
    while true {
      optimizer.beginEvaluation(model)
      do {
        guard model.hasFiniteWeights else { throw FisherError.nonFinite(what: "weights", step: stepsDone) }
        let training = try evaluate(data.samples, data.training)
        var sums = MeasureSums(measures)
        let validation = try score(data.samples, data.validation) { sums.add($1, targets: $0) }
        return EpochReport(
          epoch: epochsDone + 1, step: stepsDone, seconds: seconds, training: training, validation: validation,
          bounds: bounds(), measures: sums.values)
      } catch FisherError.nonFinite(let what, _) {
        try goBack("\(what) that is not finite", onEvent: onEvent)
      }
    }
  }

  private func bounds() -> [EpochReport.Bound] {
    let steps = Double(stepsPerEpoch)
    return zip(optimizer.boundSteps, boundBefore).map {
      EpochReport.Bound(name: $0.name, share: Double($0.steps - $1) / steps)
    }
  }

  private func step() throws(FisherError) -> [Incident] {
    if profile == nil || optimizerMeasures { return try optimizer.step(model) }
    var incidents: [Incident] = []
    try profile.measure(.update, model.updateWork) { () throws(FisherError) in incidents = try optimizer.step(model) }
    return incidents
  }

  /// Bytes of the data read and numbers of the mini-batch written.
  private func gatherWork(_ count: Int) -> Work {
    let elements = Double(count * data.width)
    return Work(products: elements, bytes: elements * Double(1 + MemoryLayout<Scalar>.stride))
  }

  /// The mean score over samples of a set.
  public func evaluate(_ dataset: Dataset, _ samples: Range<Int>) throws -> Score {
    try score(dataset, samples) { _, _ in }
  }

  /// The same; `body` sees each part of the samples.
  private func score(
    _ dataset: Dataset, _ samples: Range<Int>,
    _ body: (_ targets: TargetBatch<Scalar>, _ outputs: borrowing Matrix<Scalar>) -> Void
  ) throws -> Score {
    let score = try model.score(dataset, samples, loss, name: data.name, body)
    guard score.loss.isFinite else { throw FisherError.nonFinite(what: "loss of the evaluation", step: stepsDone) }
    return score
  }

  /// Makes the first `count` of `indices` the mini-batch.
  private func load(_ dataset: Dataset, count: Int) {
    let chosen = indices
    targets.load(dataset.targets, samples: chosen.span.extracting(first: count))
    model.withInput { dataset.gather(&$0, indices: chosen.span.extracting(first: count)) }
  }
}
