/// What the numbers of a network come to, in words; also where a natural gradient is behind.
struct Summary {
  private let results: [OptimizerResult]
  private let network: Study.Network

  init(_ network: Study.Network) {
    self.network = network
    results = network.chosen.map(\.result).filter { !$0.ended.isEmpty }
  }

  var sentences: [String] {
    guard results.count > 1 else {
      return results.map(alone) + failures
    }
    let loss = ranking { $0.trainLoss.map { -$0.mean } }
    let accuracy = ranking { $0.testAccuracy?.mean }
    var sentences = [
      "Lowest final training loss: \(order(loss) { Text.number($0.trainLoss?.mean ?? 0) }).",
      "Best test accuracy: \(order(accuracy) { Text.percent($0.testAccuracy?.mean ?? 0) }).",
    ]
    let time = fastest
    if let time {
      let behind = time.slower.isEmpty ? "" : "; " + time.slower.joined(separator: ", ")
      sentences.append(
        "First at a training loss of \(Text.short(time.loss)): \(time.first), in \(Text.seconds(time.seconds)) of "
          + "training\(behind).")
    } else {
      sentences.append("No optimizer reached a reported training loss with all its seeds.")
    }
    return sentences + results.filter(\.isNaturalGradient).map { standing($0, loss, accuracy, time) } + failures
  }

  private func alone(_ result: OptimizerResult) -> String {
    "\(result.optimizer) alone: final training loss \(Text.number(result.trainLoss?.mean ?? 0)), test accuracy "
      + "\(result.testAccuracy.map { Text.percent($0.mean) } ?? Study.none)."
  }

  private var failures: [String] {
    network.optimizers.filter { $0.selection == nil || $0.failed > 0 }.map { result in
      result.selection == nil
        ? "All runs of \(result.optimizer) failed."
        : "\(result.failed) of \(Text.count(result.runs.count, "run")) of \(result.optimizer) at its chosen rate failed; "
          + "the means leave them out."
    }
  }

  private func ranking(_ value: (OptimizerResult) -> Double?) -> [OptimizerResult] {
    results.compactMap { result in value(result).map { (result, $0) } }.sorted { $0.1 > $1.1 }.map(\.0)
  }

  private func order(_ ranking: [OptimizerResult], _ text: (OptimizerResult) -> String) -> String {
    ranking.map { "\($0.optimizer) (\(text($0)))" }.joined(separator: ", then ")
  }

  private struct Fastest {
    var loss: Double
    var first: String
    var seconds: Double
    var slower: [String]
  }

  /// At the smallest loss that an optimizer reached with all its seeds: means over some of the seeds are no match.
  private var fastest: Fastest? {
    let indices = results[0].times.indices
    guard let index = indices.last(where: { i in results.contains { $0.times[i].reached == $0.times[i].runs } }) else {
      return nil
    }
    let whole = results.filter { $0.times[index].reached == $0.times[index].runs }
      .sorted { ($0.times[index].seconds ?? 0) < ($1.times[index].seconds ?? 0) }
    let others = results.filter { $0.times[index].reached < $0.times[index].runs }
    return Fastest(
      loss: whole[0].times[index].loss, first: whole[0].optimizer, seconds: whole[0].times[index].seconds ?? 0,
      slower: whole.dropFirst().map { "\($0.optimizer) in \(Text.seconds($0.times[index].seconds ?? 0))" }
        + others.map { "\($0.optimizer) with \($0.times[index].reached) of \($0.times[index].runs) seeds" })
  }

  private func standing(
    _ result: OptimizerResult, _ loss: [OptimizerResult], _ accuracy: [OptimizerResult], _ time: Fastest?
  ) -> String {
    var (ahead, behind): ([String], [String]) = ([], [])
    func place(_ what: String, _ first: String?) {
      guard let first else { return }
      if first == result.optimizer { ahead.append(what) } else { behind.append("\(what) (\(first) leads)") }
    }
    place("final training loss", loss.first?.optimizer)
    place("test accuracy", accuracy.first?.optimizer)
    place("time", time?.first)
    let parts = [
      ahead.isEmpty ? "" : "leads in " + Text.list(ahead), behind.isEmpty ? "" : "is behind in " + Text.list(behind),
    ]
    return "\(result.optimizer) " + parts.filter { !$0.isEmpty }.joined(separator: ", and ") + "."
  }
}
