import FisherKit
import FisherKitToolSupport
import Foundation

/// A run of an experiment as it is done: trains, keeps what the log has of it, and looks at the Fisher matrices where
/// the optimizer has some.
struct CellRun {
  let cell: Cell
  let training: Train
  let data: DataSplit
  let costs: MachineCosts

  /// - Throws: only what has nothing to do with the run itself, such as memory that does not suffice.
  func record() throws -> RunRecord {
    let trainer = try training.makeTrainer(data: data, costs: costs)
    var record = RunRecord(
      network: cell.network, optimizer: cell.optimizer, learningRate: cell.learningRate, seed: cell.seed,
      arguments: cell.arguments, version: FisherKitVersion.current, threads: Compute.threads, level: Compute.level,
      epochs: [], testLoss: nil, testAccuracy: nil, memoryBytes: trainer.plan.modelBytes + trainer.plan.optimizerBytes,
      dampingEvents: 0, divergences: [], effectiveDimensions: [], failure: nil)
    do {
      try train(trainer, into: &record)
    } catch let error as FisherError where error.isOfTheRun {
      (record.failure, record.testLoss, record.testAccuracy) = ("\(error)", nil, nil)
    }
    return record
  }

  private func train(_ trainer: Trainer<Float>, into record: inout RunRecord) throws {
    let natural = !trainer.optimizer.all(RNGD<Float>.self).isEmpty
    let divergence = natural ? try StepDivergence(model: trainer.model) : nil
    let test = try trainer.run(epochs: training.schedule.epochs) { event in
      if let interruption = Interruption.noted { throw interruption }
      switch event {
      case .began, .evaluated, .stoppedEarly, .finished: break
      case .survived: record.dampingEvents += 1
      case .step(let epoch, let step, let steps, _):
        if step == steps - 1 || steps == 1 && epoch == 1 { divergence?.keepWeights(of: trainer.model) }
        if step == steps, steps > 1, let divergence {
          record.divergences.append(
            RunRecord.Divergence(
              epoch: epoch,
              layers: try divergence.compare(with: trainer.model)
                .map { RunRecord.Divergence.Layer(name: $0.name, predicted: $0.1.predicted, measured: $0.1.measured) }
                // (a step that leaves the numbers has none)
                .filter { $0.predicted.isFinite && $0.measured.isFinite }))
        }
      case .epoch(let report): record.epochs.append(RunRecord.Epoch(report))
      }
    }
    (record.testLoss, record.testAccuracy) = (test.loss, test.accuracy)
    guard natural else { return }
    do {
      record.effectiveDimensions = try effectiveDimensions(trainer)
    } catch let error as FisherError where error.isOfTheRun {
      // (what is looked at by the way does not fail a run that is done)
    }
  }

  /// Over the first training samples.
  private func effectiveDimensions(_ trainer: Trainer<Float>) throws -> [RunRecord.EffectiveDimension] {
    let count = min(200, data.training.count, trainer.model.batchCapacity)
    let samples = data.training.lowerBound..<(data.training.lowerBound + count)
    return try trainer.model.effectiveDimensions(
      of: data.samples, samples, damping: training.optimizer.natural.chosenDamping
    ).map {
      .init(name: $0.name, order: $0.order, dimension: $0.dimension)
    }
  }
}

extension RunRecord.Epoch {
  init(_ report: EpochReport) {
    self.init(
      epoch: report.epoch, step: report.step, seconds: report.seconds, trainLoss: report.training.loss,
      trainError: report.training.error, validationLoss: report.validation.loss,
      validationAccuracy: report.validation.accuracy,
      bound: report.bounds.isEmpty
        ? nil : Dictionary(report.bounds.map { ($0.name, $0.share) }, uniquingKeysWith: max))
  }
}

extension FisherError {
  /// Whether these settings with this seed end like that, as often as they are run.
  var isOfTheRun: Bool {
    switch self {
    case .nonFinite, .diverged, .notPositiveDefinite, .notConverged, .inaccurate: true
    case .sizeOverflow, .outOfMemory, .exceedsMemoryCap, .invalidArgument, .unsupportedForm: false
    }
  }
}
