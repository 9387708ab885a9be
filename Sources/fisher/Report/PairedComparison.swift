/// A natural-gradient optimizer and another, seed by seed: the same seed has the same starting weights and batches, so
/// that differences vary less than the values do.
struct PairedComparison {
  var first: String
  var second: String
  /// First − second, over the seeds that both ended; `nil` where there are none.
  var firstEpochLoss: Spread?
  var trainLoss: Spread?
  var testAccuracy: Spread?

  init(_ first: OptimizerResult, _ second: OptimizerResult) {
    (self.first, self.second) = (first.optimizer, second.optimizer)
    let others = Dictionary(second.ended.map { ($0.seed, $0) }) { first, _ in first }
    let pairs = first.ended.compactMap { run in others[run.seed].map { (run, $0) } }
    func difference(_ value: (RunRecord) -> Double?) -> Spread? {
      Spread(
        pairs.compactMap { a, b in
          guard let a = value(a), let b = value(b) else { return nil }
          return a - b
        })
    }
    firstEpochLoss = difference { run in run.epochs.first { $0.epoch == 1 }?.trainLoss }
    trainLoss = difference { $0.epochs.last?.trainLoss }
    testAccuracy = difference(\.testAccuracy)
  }

  /// Each natural-gradient optimizer with each other one; two of the former once.
  static func all(_ results: [OptimizerResult]) -> [PairedComparison] {
    let results = results.filter { $0.selection != nil }
    return results.indices.filter { results[$0].isNaturalGradient }.flatMap { i in
      results.indices.filter { $0 != i && (!results[$0].isNaturalGradient || $0 > i) }
        .map { PairedComparison(results[i], results[$0]) }
    }
  }
}
