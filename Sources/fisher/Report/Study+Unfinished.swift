extension Study {
  /// The runs of the experiments' grids that are still to be done, as far as they can be known. Of grids with one name
  /// the last counts: a log that was gone on with by a larger one has the choices of that.
  ///
  /// They are counted and not listed: a grid is a line of text, and can ask for a million runs.
  var unfinished: Int {
    let last = Dictionary(headers.map { ($0.grid.name, $0.grid) }) { $1 }
    var wanted: [Series: Int] = [:]
    let byRecipe = Dictionary(grouping: runs, by: \.recipe)
    for grid in last.values.compactMap({ try? $0.checked() }) {
      for network in grid.networks {
        for optimizer in grid.optimizers {
          let recipe = grid.recipe(network, optimizer)
          let done = (byRecipe[recipe] ?? []).filter { $0.seed < UInt64(grid.selectionSeeds) }
          let chosen = grid.chosenRate(of: optimizer, done)
          for rate in optimizer.learningRates {
            let seeds = rate == chosen ? grid.seeds : grid.selectionSeeds
            let series = Series(recipe: recipe, learningRate: rate)
            wanted[series] = max(wanted[series] ?? 0, seeds)
          }
        }
      }
    }
    return wanted.reduce(0) { count, series in
      let seeds = (byRecipe[series.key.recipe] ?? []).filter { $0.learningRate == series.key.learningRate }.map(\.seed)
      return count + series.value - Set(seeds).count { $0 < UInt64(series.value) }
    }
  }

  /// Runs that differ by their seeds alone, which count from 0.
  private struct Series: Hashable {
    var recipe: String
    var learningRate: Double
  }
}

extension ExperimentGrid {
  /// The rate that goes on with all seeds; while runs of the selection are missing, any stands for it. `nil` where all
  /// of them failed.
  fileprivate func chosenRate(of optimizer: Optimizer, _ done: [RunRecord]) -> Double? {
    let runs = done.filter { optimizer.learningRates.contains($0.learningRate) }
    guard runs.count == optimizer.learningRates.count * selectionSeeds else { return optimizer.learningRates[0] }
    return Selection(of: runs)?.learningRate
  }
}
