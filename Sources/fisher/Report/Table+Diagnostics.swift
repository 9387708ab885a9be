extension Study {
  /// What the trust region and the Fisher matrices did; all but the second only where runs recorded it.
  func diagnostics(_ network: Network) -> [Table] {
    let all = network.chosen.map { Diagnostics($0.result) }
    var tables = [bounds(all, of: network.name)].compactMap { $0 }
    // (a training log says no more)
    if network.name == TrainingLog.network { return tables }
    tables += [
      Table(
        caption: "\(network.name): factorisations that failed and were survived by the metric’s fallback",
        heads: ["Optimizer", "Events", "Runs with any"],
        rows: all.map { [$0.optimizer, "\($0.dampingEvents)", "\($0.dampedRuns) of \($0.runs)"] }, kind: "damping")
    ]
    let dimensions = all.flatMap { one in
      one.dimensions.map { [one.optimizer, $0.layer, "\($0.order)", Text.number($0.mean, digits: 1)] }
    }
    if !dimensions.isEmpty {
      tables.append(
        Table(
          caption: "\(network.name): effective dimension Σ σ/(σ + λ) of the layers’ matrices at the end, mean over the "
            + "seeds",
          heads: ["Optimizer", "Layer", "Order", "Effective dimension"], rows: dimensions, kind: "dimensions"))
    }
    let recorded = Set(all.flatMap(\.epochs)).sorted()
    let epochs = some(recorded)
    if !epochs.isEmpty {
      let rows = all.flatMap { one in
        one.divergences.map { divergence in
          let byEpoch = Dictionary(zip(one.epochs, divergence.ratios)) { first, _ in first }
          return [one.optimizer, divergence.layer]
            + epochs.map { epoch in byEpoch[epoch].flatMap { $0 }.map { Text.number($0, digits: 2) } ?? Self.none }
        }
      }
      tables.append(
        Table(
          caption: "\(network.name): Kullback-Leibler divergence of an epoch’s last step, measured ÷ predicted by "
            + "½ δᵀGδ, median over the seeds (1 is a perfect prediction"
            + (epochs.count < recorded.count ? "; some of the \(recorded.count) epochs)" : ")"),
          heads: ["Optimizer", "Layer"] + epochs.map { "Epoch \($0)" }, rows: rows, kind: "divergences"))
    }
    return tables
  }

  /// How often the trust region bound, by layer and epoch.
  private func bounds(_ all: [Diagnostics], of network: String) -> Table? {
    let recorded = Set(all.flatMap(\.boundEpochs)).sorted()
    let epochs = some(recorded)
    if epochs.isEmpty { return nil }
    let rows = all.flatMap { one in
      one.bounds.map { bound in
        let byEpoch = Dictionary(zip(one.boundEpochs, bound.shares)) { first, _ in first }
        return [one.optimizer, bound.layer]
          + epochs.map { epoch in
            byEpoch[epoch].flatMap { $0 }.map { Text.number(100 * $0, digits: 1) + " %" } ?? Self.none
          }
      }
    }
    return Table(
      caption: "\(network): steps that the trust region made shorter, mean over the seeds"
        + (epochs.count < recorded.count ? "; some of the \(recorded.count) epochs" : ""),
      heads: ["Optimizer", "Layer"] + epochs.map { "Epoch \($0)" }, rows: rows, kind: "bounds")
  }

  /// As many as fit a page: first, last, and evenly between; the rest is in the CSV.
  private func some(_ epochs: [Int]) -> [Int] {
    let most = 12
    if epochs.count <= most { return epochs }
    return (0..<most).map { epochs[$0 * (epochs.count - 1) / (most - 1)] }
  }
}
