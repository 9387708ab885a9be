/// A run that goes on from where it was:
///
///     let folder = try CheckpointFolder(path: "run")
///     let lock = try folder.lock()
///     try trainer.resume(from: folder)                          // or from the start, where there is nothing yet
///     try trainer.run(epochs: 20 - trainer.epochsDone) { event in
///       if case .epoch = event { try trainer.write(to: folder) }
///     }
///
/// Interrupted wherever it may be, and resumed, it comes to the same weights and reports, bit by bit.
extension Trainer {
  /// What a checkpoint of it belongs to. It takes a pass over the data, once.
  public var configuration: TrainingConfiguration {
    if let known = knownConfiguration { return known }
    let made = TrainingConfiguration(of: self)
    knownConfiguration = made
    return made
  }

  /// Writes a checkpoint of this step; one after an epoch is a candidate for the best by its validation loss. In an event of
  /// ``run(epochs:onEvent:)`` it belongs where a step is over, with whatever was survived in it: `step` and `epoch`.
  ///
  /// - Throws: ``StateError`` that names a layer, optimizer or curvature which does not say what it holds; ``OutputError``
  ///   where the file cannot be written. What was there stays then.
  public func write(to folder: CheckpointFolder, notes: [String: String] = [:]) throws {
    var notes = notes
    notes[TrainingConfiguration.note] = configuration.json()
    (notes["step"], notes["epoch"], notes["step of the epoch"]) = ("\(stepsDone)", "\(epochsDone)", "\(stepsOfEpoch)")
    try folder.write(self, step: stepsDone, loss: validationLoss, notes: notes)
  }

  /// Goes on from the last checkpoint of a folder.
  /// - Returns: that; `nil`, and nothing was done, where there is none.
  /// - Throws: ``DataError`` where it is damaged, which then names the last good one, or of another configuration.
  @discardableResult
  public func resume(from folder: CheckpointFolder) throws -> CheckpointFile? {
    guard let checkpoint = try folder.newest() else { return nil }
    try resume(from: checkpoint)
    return checkpoint
  }

  /// Goes on from a checkpoint. The trainer stays as it is where that does not fit.
  /// - Throws: ``DataError`` with the first setting that is another.
  public func resume(from checkpoint: CheckpointFile) throws {
    let theirs = try checkpoint.trainingConfiguration()
    if let (name, ours, value) = configuration.difference(from: theirs) {
      let isOfData = name == "data"
      throw DataError(
        "\(checkpoint.path): \(name)",
        expected: shortText(ours, 200) + ", as this run has it" + (isOfData ? " (\(shortText(data.name)))" : ""),
        found: shortText(value, 200) + (isOfData ? " (\(shortText(theirs.dataName)))" : ""))
    }
    try checkpoint.restore(self)
  }
}
