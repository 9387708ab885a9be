import FisherKit

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
      "Lowest final training loss: \(order(loss) { Text.number($0.trainLoss?.mean ?? 0) })."
    ]
    if !accuracy.isEmpty {
      sentences.append("Best test accuracy: \(order(accuracy) { Text.percent($0.testAccuracy?.mean ?? 0) }).")
    }
    let races = self.races
    sentences += races.map { race in
      let behind = race.slower.isEmpty ? "" : "; " + race.slower.joined(separator: ", ")
      return "First at a training loss of \(short(race.loss)): \(race.first), in \(Text.seconds(race.seconds)) "
        + "of training\(behind)."
    }
    if races.isEmpty { sentences.append("No optimizer reached a reported training loss with all its seeds.") }
    return sentences + results.filter(\.isNaturalGradient).map { standing($0, loss, accuracy, races) } + failures
  }

  private func alone(_ result: OptimizerResult) -> String {
    "\(result.optimizer) alone: final training loss \(Text.number(result.trainLoss?.mean ?? 0)), test accuracy "
      + "\(result.testAccuracy.map { Text.percent($0.mean) } ?? Study.none)."
  }

  private var failures: [String] {
    network.optimizers.filter { $0.selection == nil || $0.failed > 0 }.map { result in
      result.lack.map { "\(result.optimizer) has no results: \($0)." }
        ?? "\(result.failed) of \(Text.count(result.runs.count, "run")) of \(result.optimizer) at its chosen rate "
        + "failed; the means leave them out."
    }
  }

  /// The mean over the runs that a failure left is no match for one over all: it comes last.
  private func ranking(_ value: (OptimizerResult) -> Double?) -> [OptimizerResult] {
    func isBefore(_ a: (OptimizerResult, Double), _ b: (OptimizerResult, Double)) -> Bool {
      (a.0.failed == 0) == (b.0.failed == 0) ? a.1 > b.1 : a.0.failed == 0
    }
    return results.compactMap { result in value(result).map { (result, $0) } }.sorted(by: isBefore).map(\.0)
  }

  private func order(_ ranking: [OptimizerResult], _ text: (OptimizerResult) -> String) -> String {
    ranking.map { result in
      let left = result.failed > 0 ? ", \(result.ended.count) of \(Text.count(result.runs.count, "run"))" : ""
      return "\(result.optimizer) (\(text(result))\(left))"
    }.joined(separator: ", then ")
  }

  private struct Race {
    var loss: Double
    var first: String
    var seconds: Double
    var slower: [String]
  }

  /// To the smallest loss that all optimizers reached with all their seeds, and to the smallest that any did: means
  /// over some of the seeds are no match.
  private var races: [Race] {
    let indices = results[0].times.indices
    let byAll = indices.last { i in results.allSatisfy { isWhole($0.times[i]) } }
    let byAny = indices.last { i in results.contains { isWhole($0.times[i]) } }
    return (byAll == byAny ? [byAll] : [byAll, byAny]).compactMap { $0 }.map(race)
  }

  private func isWhole(_ time: TimeToLoss) -> Bool { time.reached == time.runs }

  private func race(_ index: Int) -> Race {
    let whole = results.filter { isWhole($0.times[index]) }
      .sorted { ($0.times[index].seconds ?? 0) < ($1.times[index].seconds ?? 0) }
    let others = results.filter { !isWhole($0.times[index]) }
    return Race(
      loss: whole[0].times[index].loss, first: whole[0].optimizer, seconds: whole[0].times[index].seconds ?? 0,
      slower: whole.dropFirst().map { "\($0.optimizer) in \(Text.seconds($0.times[index].seconds ?? 0))" }
        + others.map { "\($0.optimizer) with \($0.times[index].reached) of \($0.times[index].runs) seeds" })
  }

  private func standing(
    _ result: OptimizerResult, _ loss: [OptimizerResult], _ accuracy: [OptimizerResult], _ races: [Race]
  ) -> String {
    var (ahead, behind): ([String], [String]) = ([], [])
    func place(_ what: String, _ leaders: [String]) {
      guard let first = leaders.first else { return }
      guard leaders.contains(result.optimizer) else { return behind.append("\(what) (\(first) leads)") }
      let others = leaders.filter { $0 != result.optimizer }
      ahead.append(others.isEmpty ? what : "\(what) (as does \(Text.list(others)))")
    }
    func leaders(_ ranking: [OptimizerResult], _ value: (OptimizerResult) -> Double?) -> [String] {
      ranking.filter { value($0) == value(ranking[0]) && ($0.failed == 0) == (ranking[0].failed == 0) }.map(\.optimizer)
    }
    place("final training loss", leaders(loss) { $0.trainLoss?.mean })
    place("test accuracy", leaders(accuracy) { $0.testAccuracy?.mean })
    for race in races { place("time to \(short(race.loss))", [race.first]) }
    let parts = [
      ahead.isEmpty ? "" : "leads in " + Text.list(ahead), behind.isEmpty ? "" : "is behind in " + Text.list(behind),
    ]
    return "\(result.optimizer) " + parts.filter { !$0.isEmpty }.joined(separator: ", and ") + "."
  }
}
