/// One row per run and epoch with all that was recorded, after RFC 4180. A run that failed before its first epoch ended
/// has one row without an epoch.
struct CSVReport {
  let study: Study

  private static let heads = [
    "network", "optimizer", "learning_rate", "seed", "is_chosen_rate", "arguments", "version", "threads", "level",
    "epoch",
    "step", "seconds", "train_loss", "train_error", "validation_loss", "validation_accuracy", "divergences",
    "test_loss",
    "test_accuracy", "memory_bytes", "damping_events", "effective_dimensions", "failure",
  ]

  func text() throws -> String {
    var text = line(Self.heads)
    for run in study.runs {
      let epochs = run.epochs.map(Optional.some)
      for epoch in epochs.isEmpty ? [nil] : epochs { text += line(try fields(run, epoch)) }
    }
    return text
  }

  private func fields(_ run: RunRecord, _ epoch: RunRecord.Epoch?) throws -> [String] {
    let layers = run.divergences.first { $0.epoch == epoch?.epoch }?.layers
    let isKnown = run.learningRate != 0
    return [
      run.network, run.optimizer, isKnown ? "\(run.learningRate)" : "", isKnown ? "\(run.seed)" : "",
      isChosen(run) ? "true" : "false", run.arguments, run.version, isKnown ? "\(run.threads)" : "", run.level,
      number(epoch?.epoch), number(epoch?.step), number(epoch?.seconds), number(epoch?.trainLoss),
      number(epoch?.trainError), number(epoch?.validationLoss), number(epoch?.validationAccuracy),
      try layers.map(jsonLine) ?? "", number(run.testLoss), number(run.testAccuracy), "\(run.memoryBytes)",
      isKnown ? "\(run.dampingEvents)" : "",
      run.effectiveDimensions.isEmpty ? "" : try jsonLine(run.effectiveDimensions),
      run.failure ?? "",
    ]
  }

  private func isChosen(_ run: RunRecord) -> Bool {
    study.networks.first { $0.name == run.network }?.optimizers.first { $0.optimizer == run.optimizer }?.selection?
      .learningRate == run.learningRate
  }

  /// As many digits as give the number back.
  private func number(_ value: (some CustomStringConvertible)?) -> String { value.map(\.description) ?? "" }

  private func line(_ fields: [String]) -> String {
    fields.map { field in
      field.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        ? "\"\(field.mappingScalars { $0 == "\"" ? "\"\"" : nil })\"" : field
    }.joined(separator: ",") + "\r\n"
  }
}
