/// The choice of a learning rate as published: the one whose runs have the best validation accuracy.
struct Selection: Equatable {
  var network: String
  var optimizer: String
  var learningRate: Double
  /// The mean over the selection's seeds of the validation accuracy after the last epoch; a run that failed counts 0.
  var validationAccuracy: Double
  /// Whether it is the largest or smallest of several that were tried: a better one may lie beyond.
  var isAtTheEdge: Bool

  /// Chooses for one network and optimizer among runs at several learning rates; the smaller of equally good ones.
  /// Only seeds that every rate has are compared. `nil` without runs, or where all of them failed.
  init?(of runs: [RunRecord]) {
    let byRate = Dictionary(grouping: runs, by: \.learningRate)
    guard let first = runs.first else { return nil }
    let common = byRate.values.map { Set($0.map(\.seed)) }.reduce(Set(runs.map(\.seed))) { $0.intersection($1) }
    var best: (rate: Double, accuracy: Double)?
    for rate in byRate.keys.sorted() {
      let accuracies = byRate[rate, default: []].filter { common.contains($0.seed) }.map(\.finalValidationAccuracy)
      guard !accuracies.isEmpty else { continue }
      let mean = accuracies.reduce(0, +) / Double(accuracies.count)
      if mean > best?.accuracy ?? 0 { best = (rate, mean) }
    }
    guard let best else { return nil }
    network = first.network
    optimizer = first.optimizer
    learningRate = best.rate
    validationAccuracy = best.accuracy
    let rates = byRate.keys.sorted()
    isAtTheEdge = rates.count > 1 && (best.rate == rates[0] || best.rate == rates[rates.count - 1])
  }
}

extension RunRecord {
  /// 0 where the run failed.
  var finalValidationAccuracy: Double { failure == nil ? epochs.last?.validationAccuracy ?? 0 : 0 }
}
