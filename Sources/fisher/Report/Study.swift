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

  init(_ files: RunFiles) {
    headers = files.headers
    runs = files.runs
    let asked = Set(files.headers.flatMap(\.grid.losses)).sorted(by: >)
    let losses = asked.isEmpty ? ExperimentGrid.usualLosses : asked
    self.losses = losses
    // Runs are logged as they end: the grid's order is the one that was meant.
    let names = inOrder(files.headers.flatMap { $0.grid.networks.map(\.name) } + files.runs.map(\.network))
    let optimizers = inOrder(files.headers.flatMap { $0.grid.optimizers.map(\.name) } + files.runs.map(\.optimizer))
    let byNetwork = Dictionary(grouping: files.runs, by: \.network)
    networks = names.compactMap { name in
      guard let runs = byNetwork[name] else { return nil }
      let byOptimizer = Dictionary(grouping: runs, by: \.optimizer)
      let results = optimizers.compactMap { optimizer in
        byOptimizer[optimizer].map {
          OptimizerResult(network: name, optimizer: optimizer, allRuns: $0, losses: losses)
        }
      }
      return Network(name: name, optimizers: results, comparisons: PairedComparison.all(results))
    }
  }

  var heading: String {
    let title = Text.list(inOrder(headers.map(\.grid.name)))
    return title.isEmpty ? "Training runs" : "Experiment: \(title)"
  }

  /// What there is, in two sentences.
  var overview: String {
    let counts = [
      Text.count(networks.count, "network"), Text.count(Set(runs.map(\.optimizer)).count, "optimizer"),
      headers.isEmpty ? nil : Text.count(Set(runs.map(\.seed)).count, "seed"),
    ].compactMap { $0 }
    let failed = failures.isEmpty ? "none of them failed" : "\(failures.count) of them failed"
    return
      "\(Text.count(runs.count, "run")) of \(Text.list(counts)); \(failed). Learning rates are chosen by validation "
      + "accuracy; all else is at the chosen rate."
  }

  var failures: [RunRecord] { runs.filter { $0.failure != nil } }
}
