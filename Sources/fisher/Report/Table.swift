import FisherKit

/// A table, whichever way it is written.
struct Table {
  var caption: String
  var heads: [String]
  /// The first cell of a row is its heading; a newline parts the lines of a cell.
  var rows: [[String]]
  /// Cells of words are set from the left, numbers from the right.
  var isWords = false
  /// What a script finds it by.
  var kind: String
}

/// The tables of a report, in their order: of one network, and of all.
extension Study {
  static let none = "–"

  func tables(of network: Network) -> [Table] {
    ([rates(network), results(network)] + times(network) + comparisons(network) + diagnostics(network))
      .filter { !$0.rows.isEmpty }
  }

  private func rates(_ network: Network) -> Table {
    Table(
      caption: "\(network.name): learning rates, chosen by the validation accuracy after the last epoch",
      heads: ["Optimizer", "Chosen", "Validation accuracy", "Rates tried: validation accuracy"],
      rows: network.optimizers.map { result in
        let chosen = result.selection.map {
          Text.rate($0.learningRate) + ($0.isAtTheEdge ? " * (at the edge of what was tried)" : "")
        }
        return [
          result.optimizer, chosen ?? "none: \(result.lack ?? "")",
          (result.selection?.validationAccuracy).map { Text.percent($0) } ?? Self.none,
          result.rates.map(describe).joined(separator: "\n"),
        ]
      }, isWords: true, kind: "rates")
  }

  private func describe(_ rate: OptimizerResult.Rate) -> String {
    let accuracy =
      rate.validationAccuracy.map { Text.percent($0) } ?? (rate.hasAccuracy ? "no seed in common" : Self.none)
    let failed = rate.failed > 0 ? ", \(rate.failed) failed" : ""
    return "\(Text.rate(rate.learningRate)): \(accuracy) (\(Text.count(rate.runs, "run"))\(failed))"
  }

  private func results(_ network: Network) -> Table {
    Table(
      caption: "\(network.name): at the end, over the seeds at the chosen rate (mean ± standard deviation; range)",
      heads: [
        "Optimizer", "Learning rate", "Seeds", "Failed", "Training loss", "Training error", "Validation accuracy",
        "Test accuracy",
        // of the process in a training log, of the model and the optimizer in an experiment
        network.name == TrainingLog.network ? "Peak memory, MB" : "Memory, MB",
      ],
      rows: network.chosen.map { _, result in
        [
          result.optimizer, Text.rate(result.selection?.learningRate ?? 0), "\(result.runs.count)", "\(result.failed)",
          spread(result.trainLoss), spread(result.trainError, percent: true),
          spread(result.validationAccuracy, percent: true), spread(result.testAccuracy, percent: true),
          result.memoryBytes.map { Text.number($0.mean / 1e6, digits: 1) } ?? Self.none,
        ]
      }, kind: "results")
  }

  private func spread(_ spread: Spread?, percent: Bool = false) -> String {
    guard let spread else { return Self.none }
    let (scale, digits, unit) = percent ? (100.0, 2, " %") : (1, 4, "")
    func text(_ value: Double) -> String { Text.number(scale * value, digits: digits) }
    guard let deviation = spread.deviation else { return text(spread.mean) + unit }
    return
      "\(text(spread.mean)) ± \(text(deviation))\(unit)\n\(text(spread.smallest)) to \(text(spread.largest))\(unit)"
  }

  private func times(_ network: Network) -> [Table] {
    [
      Table(
        caption: "\(network.name): epochs and seconds of training until a training loss, means over the seeds that "
          + "reached it, and how many did; of the first epoch only its end is known",
        heads: ["Optimizer"] + losses.map { "Loss \(short($0))" },
        rows: network.chosen.map { _, result in
          [result.optimizer]
            + result.times.map { time in
              let seeds = "\(time.reached) of \(time.runs)"
              guard let epochs = time.epochs, let seconds = time.seconds else { return "\(Self.none)\n\(seeds)" }
              return "\(Text.number(epochs, digits: 2)) epochs\n\(Text.seconds(seconds))\n\(seeds)"
            }
        }, kind: "times")
    ]
  }

  private func comparisons(_ network: Network) -> [Table] {
    if network.comparisons.isEmpty { return [] }
    return [
      Table(
        caption:
          "\(network.name): paired differences over the seeds that both ended, mean and 95 % confidence interval "
          + "(Student’s t); a lower loss and a higher accuracy are better",
        heads: ["Difference", "Seeds", "Training loss after epoch 1", "Final training loss", "Test accuracy, points"],
        rows: network.comparisons.map { pair in
          [
            "\(pair.first) − \(pair.second)", "\(pair.trainLoss?.count ?? 0)", interval(pair.firstEpochLoss),
            interval(pair.trainLoss), interval(pair.testAccuracy, percent: true),
          ]
        }, kind: "comparisons")
    ]
  }

  private func interval(_ spread: Spread?, percent: Bool = false) -> String {
    guard let spread else { return Self.none }
    let (scale, digits) = percent ? (100.0, 2) : (1, 4)
    func text(_ value: Double) -> String { Text.signed(scale * value, digits: digits) }
    guard let half = spread.confidence else { return "\(text(spread.mean))\nno interval of one seed" }
    return "\(text(spread.mean))\n[\(text(spread.mean - half)), \(text(spread.mean + half))]"
  }
}
