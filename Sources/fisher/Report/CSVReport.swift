import FisherKitToolSupport

/// One row per run and epoch with all that was recorded, after RFC 4180. A run that failed before its first epoch ended
/// has one row without an epoch. A cell of words that a spreadsheet would take for a formula has an apostrophe before it,
/// and what a terminal would obey is replaced.
struct CSVReport {
  let study: Study
  /// By the names of network and optimizer.
  private let chosenRates: [[String]: Double]

  init(study: Study) {
    self.study = study
    let results = study.networks.flatMap(\.optimizers).compactMap { result in
      result.selection.map { ([result.network, result.optimizer], $0.learningRate) }
    }
    chosenRates = Dictionary(uniqueKeysWithValues: results)
  }

  private static let heads = [
    "network", "optimizer", "learning_rate", "seed", "is_chosen_rate", "arguments", "version", "threads", "level",
    "epoch",
    "step", "seconds", "train_loss", "train_error", "validation_loss", "validation_accuracy", "bound", "divergences",
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
      try epoch?.bound.map(jsonLine) ?? "", try layers.map(jsonLine) ?? "", number(run.testLoss),
      number(run.testAccuracy),
      run.memoryBytes > 0 ? "\(run.memoryBytes)" : "",
      isKnown ? "\(run.dampingEvents)" : "",
      run.effectiveDimensions.isEmpty ? "" : try jsonLine(run.effectiveDimensions),
      run.failure ?? "",
    ]
  }

  private func isChosen(_ run: RunRecord) -> Bool {
    chosenRates[[run.network, run.optimizer]] == run.learningRate
  }

  /// As many digits as give the number back.
  private func number(_ value: (some CustomStringConvertible)?) -> String { value.map(\.description) ?? "" }

  private func line(_ fields: [String]) -> String {
    fields.map(csvCell).joined(separator: ",") + "\r\n"
  }
}

/// A field as a cell of CSV.
func csvCell(_ field: String) -> String {
  let text = field.replacing("\r\n", with: "\n").printable(keeping: ["\n", "\t"])
  let cell = isFormula(field) ? "'\(text)" : text
  return cell.unicodeScalars.contains { [",", "\"", "\n"].contains($0) }
    ? "\"\(cell.mappingScalars { $0 == "\"" ? "\"\"" : nil })\"" : cell
}

/// Whether a spreadsheet would compute it: by its first sign, in either width, where it is no number.
private func isFormula(_ field: String) -> Bool {
  let signs: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
  ]
  guard let first = field.unicodeScalars.first, signs.contains(first) else { return false }
  let isNumber = field.utf8.allSatisfy("0123456789.+-eE".utf8.contains) && Double(field)?.isFinite == true
  return !isNumber
}
