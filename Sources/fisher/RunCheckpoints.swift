import ArgumentParser
import FisherKit

/// The checkpoints of a run: what it goes on from, and what it leaves.
final class RunCheckpoints {
  private let folder: CheckpointFolder
  private let lock: CheckpointLock
  private let every: Int?
  private let start: CheckpointFile?
  private let isResumed: Bool
  /// What auto plans by: what it did before.
  let costs: MachineCosts?
  let memoryCap: Int?
  /// The last one of this run.
  private var written: String?

  /// - Parameter resume: a file, or ``CheckpointOptions/newest``; `nil` begins anew.
  init(path: String, every: Int?, keep: Int, resume: String?) throws {
    let folder: CheckpointFolder
    do {
      folder = try CheckpointFolder(path: path, keepLast: keep)
      lock = try folder.lock()
    } catch let error as OutputError {
      throw OptionError("--checkpoint", error)
    }
    (self.folder, self.every) = (folder, every)
    isResumed = resume != nil
    start = try resume.flatMap { try Self.find($0, in: folder) }
    if resume == nil, let last = folder.steps.last {
      throw ValidationError(
        "--checkpoint: expected a folder without checkpoints, or --resume, found \(folder.file(step: last))")
    }
    let kept = try start?.trainingConfiguration()
    try kept?.costs?.requirePossible(in: start?.path ?? path)
    (costs, memoryCap) = (kept?.costs, kept?.memoryCap)
  }

  private static func find(_ file: String, in folder: CheckpointFolder) throws -> CheckpointFile? {
    do {
      return file == CheckpointOptions.newest ? try folder.newest() : try folder.open(file)
    } catch {
      let wayOn = folder.newestWhole().map { " (--resume \($0.path) goes on from it)" } ?? ""
      throw DataError(error.place, expected: error.expected, found: error.found + wayOn)
    }
  }

  func resume(_ trainer: Trainer<Float>) throws {
    if let start { try trainer.resume(from: start) }
  }

  /// For the human view.
  var summary: String {
    guard isResumed else { return "keeping    checkpoints in \(folder.path)" }
    return "resumed    "
      + (start.map { "from \($0.path)" } ?? "from the start: there is no checkpoint in \(folder.path)")
  }

  /// Takes what the log says, and writes a checkpoint where it is time. The last step of an epoch waits for the epoch's
  /// report.
  func note(_ event: TrainingEvent, of trainer: Trainer<Float>) throws {
    if case .finished = event { return }
    if let line = RunLog.line(of: event) { trainer.journal += line }
    switch event {
    case .step(_, let step, let steps, _):
      if let every, trainer.stepsDone % every == 0, step < steps { try write(trainer) }
    case .epoch: try write(trainer)
    case .began, .evaluated, .survived, .stoppedEarly, .finished: break
    }
  }

  /// Writes one where the run is about to end.
  func writeLast(_ event: TrainingEvent, of trainer: Trainer<Float>) throws {
    switch event {
    case .began, .step: try write(trainer)
    // (that of the epoch is there already)
    case .epoch, .evaluated, .survived, .stoppedEarly, .finished: break
    }
  }

  private func write(_ trainer: Trainer<Float>) throws {
    do {
      try trainer.write(to: folder)
    } catch let error as OutputError {
      throw OptionError("--checkpoint", error)
    }
    written = folder.file(step: trainer.stepsDone)
  }

  /// For a run that was interrupted.
  var wayOn: String? {
    (written ?? start?.path).map { "the last checkpoint is \($0), from which the same command with --resume goes on" }
  }
}
