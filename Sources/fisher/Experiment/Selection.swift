/// The choice of a learning rate as published: the one whose runs have the best validation accuracy.
struct Selection: Equatable {
  var network: String
  var optimizer: String
  var learningRate: Double
  /// The mean over the selection's seeds of the validation accuracy after the last epoch; a run that failed counts 0. `nil`
  /// for the only rate of runs that have no accuracy.
  var validationAccuracy: Double?
  /// Whether it is the largest or smallest of several that were tried: a better one may lie beyond.
  var isAtTheEdge: Bool

  /// Chooses for one network and optimizer among runs at several learning rates; the smaller of equally good ones.
  /// Only seeds that every rate has are compared. `nil` without runs, or where all of them failed.
  init?(of runs: [RunRecord]) {
    guard let first = runs.first else { return nil }
    let rates = Self.compare(runs)
    var best: (rate: Double, accuracy: Double?)?
    for rate in rates {
      if let mean = rate.accuracy, mean > best?.accuracy ?? 0 { best = (rate.learningRate, mean) }
    }
    if best == nil, rates.count == 1, runs.contains(where: \.hasNoAccuracy) { best = (rates[0].learningRate, nil) }
    guard let best else { return nil }
    network = first.network
    optimizer = first.optimizer
    learningRate = best.rate
    validationAccuracy = best.accuracy
    isAtTheEdge =
      rates.count > 1 && (best.rate == rates[0].learningRate || best.rate == rates[rates.count - 1].learningRate)
  }

  /// The rates in their order, the runs of each, and the mean by which they are compared: over the seeds that every rate
  /// has; `nil` where there is none.
  static func compare(_ runs: [RunRecord]) -> [(learningRate: Double, runs: [RunRecord], accuracy: Double?)] {
    let byRate = Dictionary(grouping: runs, by: \.learningRate)
    let common = byRate.values.map { Set($0.map(\.seed)) }.reduce(Set(runs.map(\.seed))) { $0.intersection($1) }
    return byRate.keys.sorted().map { rate in
      let runs = byRate[rate, default: []]
      let compared = runs.filter { common.contains($0.seed) }.compactMap(\.finalValidationAccuracy)
      return (rate, runs, Spread(compared)?.mean)
    }
  }
}

extension RunRecord {
  /// 0 where the run failed; `nil` where its loss has no right and wrong.
  var finalValidationAccuracy: Double? {
    if hasNoAccuracy { return nil }
    return failure == nil ? epochs.last?.validationAccuracy ?? 0 : 0
  }

  /// Whether its loss has no right and wrong.
  var hasNoAccuracy: Bool { failure == nil && epochs.last.map { $0.validationAccuracy == nil } ?? false }
}
