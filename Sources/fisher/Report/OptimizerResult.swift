/// What one optimizer achieved on one network, at the learning rate that its validation accuracy chose.
struct OptimizerResult {
  struct Rate {
    var learningRate: Double
    /// The mean that the choice was made by: over the seeds that all rates have, 0 for each that failed.
    var validationAccuracy: Double?
    /// Whether the runs' loss has right and wrong.
    var hasAccuracy: Bool
    var runs: Int
    var failed: Int
  }

  var network: String
  var optimizer: String
  /// `nil` where every run failed, or where no seed was run at every rate.
  var selection: Selection?
  var rates: [Rate]
  /// At the chosen rate, by seed; those that failed among them.
  var runs: [RunRecord]
  var trainLoss: Spread?
  var trainError: Spread?
  var validationAccuracy: Spread?
  var testAccuracy: Spread?
  var memoryBytes: Spread?
  var times: [TimeToLoss]

  init(network: String, optimizer: String, allRuns: [RunRecord], losses: [Double]) {
    (self.network, self.optimizer) = (network, optimizer)
    let selection = Selection(of: allRuns)
    self.selection = selection
    rates = Selection.compare(allRuns).map { rate in
      Rate(
        learningRate: rate.learningRate, validationAccuracy: rate.accuracy,
        hasAccuracy: !rate.runs.contains(where: \.hasNoAccuracy), runs: rate.runs.count,
        failed: rate.runs.count { $0.failure != nil })
    }
    let runs = allRuns.filter { $0.learningRate == selection?.learningRate }.sorted { $0.seed < $1.seed }
    self.runs = runs
    let ended = runs.filter { $0.failure == nil }
    trainLoss = Spread(ended.compactMap { $0.epochs.last?.trainLoss })
    trainError = Spread(ended.compactMap { $0.epochs.last?.trainError })
    validationAccuracy = Spread(ended.compactMap { $0.epochs.last?.validationAccuracy })
    testAccuracy = Spread(ended.compactMap(\.testAccuracy))
    // (of a run that was interrupted it is not known)
    memoryBytes = Spread(ended.map { Double($0.memoryBytes) }.filter { $0 > 0 })
    times = losses.map { TimeToLoss(loss: $0, runs: runs) }
  }

  /// Those that did not fail.
  var ended: [RunRecord] { runs.filter { $0.failure == nil } }
  var failed: Int { runs.count - ended.count }

  /// Why there is no chosen rate, where there is none.
  var lack: String? {
    if selection != nil { return nil }
    return rates.allSatisfy { $0.failed == $0.runs } ? "all runs failed" : "no seed was run and ended at every rate"
  }

  /// By the flags, in which rngd need not be said.
  var isNaturalGradient: Bool {
    runs.contains { run in
      let words = ((try? splitWords(run.arguments)) ?? []).flatMap { $0.split(separator: "=", maxSplits: 1) }
      guard let flag = words.lastIndex(of: "--optimizer") else { return words.contains { $0.hasPrefix("--") } }
      return words.indices.contains(flag + 1) && words[flag + 1] == "rngd"
    }
  }
}
