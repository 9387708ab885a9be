/// All that a report says, as numbers.
struct Study {
  struct Network {
    var name: String
    var optimizers: [OptimizerResult]
    var comparisons: [PairedComparison]

    /// Those with a chosen rate, with their place among all, which their colours go by.
    var chosen: [(place: Int, result: OptimizerResult)] {
      optimizers.enumerated().filter { $1.selection != nil }.map { ($0, $1) }
    }
  }

  var headers: [ExperimentHeader]
  var runs: [RunRecord]
  var losses: [Double]
  var networks: [Network]
  var events: [RunEvents]

  init(_ files: RunFiles) { self.init(headers: files.headers, runs: files.runs, events: files.events) }

  init(headers: [ExperimentHeader], runs: [RunRecord], events: [RunEvents] = []) {
    (self.headers, self.runs, self.events) = (headers, runs, events)
    let asked = Set(headers.flatMap(\.grid.losses)).sorted(by: >)
    let losses = asked.isEmpty ? ExperimentGrid.usualLosses : asked
    self.losses = losses
    // Runs are logged as they end: the grid's order is the one that was meant.
    let names = inOrder(headers.flatMap { $0.grid.networks.map(\.name) } + runs.map(\.network))
    let optimizers = inOrder(headers.flatMap { $0.grid.optimizers.map(\.name) } + runs.map(\.optimizer))
    let places = Dictionary(uniqueKeysWithValues: zip(optimizers, optimizers.indices))
    let byNetwork = Dictionary(grouping: runs, by: \.network)
    networks = names.compactMap { name in
      guard let runs = byNetwork[name] else { return nil }
      let byOptimizer = Dictionary(grouping: runs, by: \.optimizer)
      let results = byOptimizer.sorted { (places[$0.key] ?? 0) < (places[$1.key] ?? 0) }.map {
        OptimizerResult(network: name, optimizer: $0, allRuns: $1, losses: losses)
      }
      return Network(name: name, optimizers: results, comparisons: PairedComparison.all(results))
    }
  }

  var heading: String {
    let title = Text.list(inOrder(headers.map(\.grid.name)))
    return title.isEmpty ? "Training runs" : "Experiment: \(title)"
  }

  /// What there is, in a few sentences.
  var overview: String {
    let counts = [
      Text.count(networks.count, "network"), Text.count(Set(runs.map(\.optimizer)).count, "optimizer"),
      headers.isEmpty ? nil : Text.count(Set(runs.map(\.seed)).count, "seed"),
    ].compactMap { $0 }
    let failed = failures.isEmpty ? "none of them failed" : "\(failures.count) of them failed"
    let left = unfinished
    return
      "\(Text.count(runs.count, "run")) of \(Text.list(counts)); \(failed). "
      + (left > 0
        ? "Not finished: \(Text.count(left, "more run")) of the grid \(left == 1 ? "is" : "are") to come. " : "")
      + "Learning rates are chosen by validation accuracy over the seeds that all rates have; all else is at the chosen "
      + "rate, those seeds among the others."
  }

  var failures: [RunRecord] { runs.filter { $0.failure != nil } }
}
