import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network and reports its losses.",
    discussion: """
      Example: fisher train --data fashion-mnist --epochs 2 --log run.jsonl

      Targets are classes, or with --loss bernoulli or squared numbers, of a folder with NumPy arrays.

      The log has a first line with command, version, seed and machine, one JSON line per epoch with epoch, step, seconds (training only), train_loss, train_error, \
      validation_loss and validation_accuracy, and a last line with test_loss, test_accuracy and peak_memory_bytes; \
      where the loss has no right and wrong, it has no error and no accuracy. \
      It is written to FILE.partial-N, N the process's number, which takes its name when the run is done, or is \
      interrupted by SIGINT or SIGTERM and there is no older FILE.

      --save keeps the network for fisher predict, evaluate and inspect, and for PyTorch: a safetensors file that is \
      written when the run is done, with the weights as its last step left them, or with --stop-early those of the best \
      epoch. A run that fails or is interrupted writes \
      none, and leaves an older FILE as it is.

      --checkpoint keeps the whole state of the run, after each epoch and, with --checkpoint-every N, after every N-th step; \
      SIGINT and SIGTERM write one before they end it. The same command with --resume goes on from the last one and comes to \
      the same log and the same model as if nothing had been, to the last bit; --epochs may be more, and where the log and \
      the model go may be another place. A checkpoint that is damaged is refused, with the one before it to go on from: \
      --resume FILE.
      """)

  @OptionGroup(title: "Data and network") var network: NetworkOptions
  @OptionGroup(title: "Optimizer") var optimizer: OptimizerOptions
  @OptionGroup(title: "Steps") var steps: StepOptions
  @OptionGroup(title: "Run") var schedule: RunOptions
  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions

  func validate() throws {
    if network.batchNormBlocks, optimizer.optimizer != .rngd {
      throw ValidationError("--batch-norm-blocks: expected --optimizer rngd, found \(optimizer.optimizer)")
    }
    if network.batchNorm, schedule.batch == 1 {
      throw ValidationError("--batch: expected 2 or more with --batch-norm, found 1")
    }
    if network.batchNorm, !optimizer.pair.isEmpty {
      throw ValidationError("--pair: expected two layers with nothing between them, found --batch-norm")
    }
  }

  func run() throws {
    ToolThreads.start(schedule.threads ?? Compute.threads)
    let checkpoints = try self.checkpoints.open()
    let saved = try schedule.save.map { try SavedModel(path: $0, log: schedule.log) }
    let log: RunLog?
    do {
      log = try schedule.log.map { try RunLog(path: $0) }
    } catch {
      saved?.discard()
      throw error
    }
    do {
      let (model, data) = try train(log: log, checkpoints: checkpoints)
      // (each of the two is kept whatever becomes of the other)
      let saving = Result { try save(model, of: data, in: saved) }
      try log?.finish()
      try saving.get()
    } catch let interruption as Interrupted {
      saved?.discard()
      let rest = [
        try log?.keep(), schedule.save.map { "\($0) was not written" }, checkpoints?.wayOn,
      ].compactMap { $0 }
      throw rest.isEmpty ? interruption : interruption.with(rest.joined(separator: "; "))
    } catch {
      saved?.discard()
      log?.abandon()
      throw error
    }
  }

  private func save(_ model: Sequential<Float>, of data: DataSplit, in saved: SavedModel?) throws {
    guard let saved, let path = schedule.save else { return }
    try saved.write(model, notes: network.source.notes(for: data, outputs: model.outputs, loss: network.loss.make()))
    if !schedule.quiet { Standard.print("saved: \(path.visible(keeping: []))\n") }
  }

  /// - Returns: what has been trained.
  private func train(log: RunLog?, checkpoints: RunCheckpoints?) throws -> (Sequential<Float>, DataSplit) {
    let before = residentBytes()
    let data = try network.source.load(seed: schedule.seed)
    let model = try makeModel(data: data)
    let trainer = try makeTrainer(
      model: model, data: data, costs: checkpoints?.costs, memoryCap: checkpoints?.memoryCap)
    try checkpoints?.resume(trainer)
    try requireEpochs(beyond: trainer)
    if trainer.journal.isEmpty {
      let header = TrainingHeader(
        seed: schedule.seed, learningRate: trainer.optimizer.learningRate, loss: network.loss)
      trainer.journal = try jsonLine(header) + "\n"
    }
    try log?.begin(trainer.journal, epochs: trainer.epochsDone)
    let view = schedule.quiet ? nil : RunView(residentBefore: before, optimizer: trainer.optimizer)
    try view?.begin(
      data: data, shape: network.shape(for: data), network: network, optimizer: optimizer, schedule: schedule,
      steps: steps, parameters: model.parameters.reduce(0) { $0 + $1.neurons * $1.order })
    if let checkpoints { view?.show(checkpoints.summary) }
    trainer.profile = StepProfile()
    trainer.stepsBetweenEvaluations = schedule.evaluateEvery
    _ = try Interruption.deferred {
      try trainer.run(epochs: schedule.epochs - trainer.epochsDone) { event in
        try log?.record(event)
        view?.show(event)
        try checkpoints?.note(event, of: trainer)
        // (what was survived belongs to a step or an epoch, which is not over yet)
        if case .survived = event { return }
        if case .evaluated = event { return }
        if let interruption = Interruption.noted {
          view?.clearBar()
          try checkpoints?.writeLast(event, of: trainer)
          throw interruption
        }
      }
    }
    if let profile = trainer.profile { view?.compare(profile, showing: schedule.profile) }
    return (model, data)
  }

  private func requireEpochs(beyond trainer: Trainer<Float>) throws {
    let begun = trainer.epochsDone + (trainer.stepsOfEpoch > 0 ? 1 : 0)
    guard schedule.epochs >= begun else {
      throw ValidationError(
        "--epochs: expected \(begun) or more, which the checkpoint has begun, found \(schedule.epochs)")
    }
  }

  /// The network with its optimizer, all memory allocated.
  /// - Parameters:
  ///   - costs: the machine's speeds where they are known already.
  ///   - memoryCap: what auto may plan for, where no flag says it.
  func makeTrainer(data: DataSplit, costs: MachineCosts? = nil, memoryCap: Int? = nil) throws -> Trainer<Float> {
    try makeTrainer(model: try makeModel(data: data), data: data, costs: costs, memoryCap: memoryCap)
  }

  private func makeTrainer(
    model: Sequential<Float>, data: DataSplit, costs: MachineCosts? = nil, memoryCap: Int? = nil
  ) throws -> Trainer<Float> {
    let batch = schedule.batch(for: data)
    let batches = (data.training.count + batch - 1) / batch
    guard steps.accumulate <= 1 || steps.accumulate / batches < schedule.epochs + 1 else {
      throw ValidationError(
        "--accumulate: expected no more than the \(batches * schedule.epochs) mini-batches of the run, found "
          + "\(steps.accumulate)")
    }
    return try Trainer(
      model: model,
      optimizer: try steps.wrap(optimizer) {
        try $0.make(batch: batch * steps.accumulate, costs: costs, memoryCap: memoryCap)
      }, data: data, batchSize: batch, loss: try network.loss.make(),
      stopping: schedule.stopEarly.map { EarlyStopping(patience: $0) }, epochs: schedule.epochs,
      seed: schedule.seed, recovery: Recovery(attempts: schedule.recoveries))
  }

  private func makeModel(data: DataSplit) throws -> Sequential<Float> {
    let (shape, batch) = (network.shape(for: data), schedule.batch(for: data))
    if let description = try network.description() {
      let layers = try description.makeLayers(
        Float.self, features: data.width, outputs: data.classes, loss: try network.loss.make(),
        activation: try network.activation.forward, seed: schedule.seed)
      return try Sequential(layers, batchCapacity: max(batch, evaluatedSamples(widest: widest(of: layers))))
    }
    let capacity = max(batch, evaluatedSamples(widest: shape.max() ?? 1))
    try Sequential<Float>.requireMemory(
      shape: shape, hasBatchNormalization: network.batchNorm, batchCapacity: capacity)
    let model = try Sequential<Float>.perceptron(
      shape: shape, activation: try network.activation.forward,
      metricActivation: try network.activation.metric, batchNormalization: network.batchNormalization,
      loss: try network.loss.make(), batchCapacity: capacity, seed: schedule.seed)
    for layer in optimizer.pair { try pairLayers(of: model, at: layer) }
    return model
  }
}

/// Layers are counted from 1 on the command line.
private func pairLayers(of model: Sequential<Float>, at layer: Int) throws {
  do {
    try model.pairLayers(at: layer - 1)
  } catch FisherError.invalidArgument {
    throw ValidationError("--pair: expected a layer from 1 to \(model.layers.count - 1), found \(layer)")
  }
}

struct RunOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Samples in a mini-batch.") var batch = usualBatch
  @Option(parsing: .unconditional, help: "Epochs to train for.") var epochs = 2
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Evaluate the training loss after every N steps too, which takes no seconds of training: a line with step, seconds and "
        + "train_loss.", valueName: "N"))
  var evaluateEvery: Int?
  @Option(
    parsing: .unconditional, help: "Seed of the starting weights, of the shuffling and of the synthetic data.")
  var seed: UInt64 = 0
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads (default: OMP_NUM_THREADS, or all cores).", valueName: "P"))
  var threads: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How often weights may go back to the last good ones, with half the learning rate, before a run ends.",
      valueName: "N"))
  var recoveries = Recovery().attempts
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "End when the validation loss has not come out better for N epochs in a row. The weights, and so the test loss, are "
        + "those of the best epoch, whichever way the run ends.",
      valueName: "N"))
  var stopEarly: Int?
  @Option(help: ArgumentHelp("Where to write the JSON lines.", valueName: "file.jsonl")) var log: String?
  @Option(
    help: ArgumentHelp("Where to keep the network when the run is done.", valueName: "model.safetensors"))
  var save: String?
  @Flag(help: "Print where the time of the steps goes, with what their formulas count.") var profile = false
  @Flag(help: "Print nothing but errors.") var quiet = false

  static let usualBatch = 50

  /// There is no mini-batch of more than all samples.
  func batch(for data: DataSplit) -> Int { min(batch, data.training.count) }

  func validate() throws {
    guard batch >= 1, batch <= 1_000_000 else {
      throw ValidationError("--batch: expected 1 to 1000000 samples, found \(batch)")
    }
    if let log, log.isEmpty { throw ValidationError("--log: expected a file name, found an empty one") }
    if let save, save.isEmpty { throw ValidationError("--save: expected a file name, found an empty one") }
    guard epochs >= 1 else { throw ValidationError("--epochs: expected 1 or more, found \(epochs)") }
    if let evaluateEvery, evaluateEvery < 1 {
      throw ValidationError("--evaluate-every: expected 1 step or more, found \(evaluateEvery)")
    }
    if let stopEarly, stopEarly < 1 {
      throw ValidationError("--stop-early: expected 1 epoch or more, found \(stopEarly)")
    }
    try refusing { try Recovery(attempts: recoveries).validate() }
    if let threads, !(1...Compute.mostThreads).contains(threads) {
      throw ValidationError("--threads: expected 1 to \(Compute.mostThreads), found \(threads)")
    }
  }
}
