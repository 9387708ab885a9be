import Foundation

/// How an optimizer's Fisher matrices fared at its chosen rate.
struct Diagnostics {
  struct Dimension {
    var layer: String
    var order: Int
    var mean: Double
  }

  struct Divergence {
    var layer: String
    /// The median over the runs of measured ÷ predicted, for each of ``epochs``.
    var ratios: [Double?]
  }

  struct Bound {
    var layer: String
    /// The mean over the runs of the share of steps, for each of ``boundEpochs``.
    var shares: [Double?]
  }

  var optimizer: String
  /// Factorisations that failed and were survived, and the runs that had any.
  var dampingEvents: Int
  var dampedRuns: Int
  var runs: Int
  var dimensions: [Dimension]
  var epochs: [Int]
  var divergences: [Divergence]
  /// How often the trust region bound.
  var boundEpochs: [Int]
  var bounds: [Bound]

  init(_ result: OptimizerResult) {
    optimizer = result.optimizer
    runs = result.runs.count
    dampingEvents = result.runs.map(\.dampingEvents).reduce(0, +)
    dampedRuns = result.runs.count { $0.dampingEvents > 0 }
    let dimensions = result.runs.flatMap(\.effectiveDimensions)
    self.dimensions = inOrder(dimensions.map(\.name)).map { layer in
      let of = dimensions.filter { $0.name == layer }
      return Dimension(layer: layer, order: of[0].order, mean: Spread(of.map(\.dimension))?.mean ?? 0)
    }
    let divergences = result.runs.flatMap(\.divergences)
    let epochs = Set(divergences.map(\.epoch)).sorted()
    self.epochs = epochs
    self.divergences = inOrder(divergences.flatMap { $0.layers.map(\.name) }).map { layer in
      let ratios = epochs.map { epoch in
        // nothing can be said about a step that was to change nothing
        median(
          divergences.filter { $0.epoch == epoch }.flatMap(\.layers).filter { $0.name == layer && $0.predicted > 0 }
            .map { $0.measured / $0.predicted })
      }
      return Divergence(layer: layer, ratios: ratios)
    }
    let bounded = result.runs.flatMap(\.epochs).filter { $0.bound != nil }
    let boundEpochs = Set(bounded.map(\.epoch)).sorted()
    self.boundEpochs = boundEpochs
    let layers = Set(bounded.flatMap { ($0.bound ?? [:]).keys })
    bounds = layers.sorted { $0.compare($1, options: .numeric) == .orderedAscending }.map { layer in
      Bound(
        layer: layer,
        shares: boundEpochs.map { epoch in
          Spread(bounded.filter { $0.epoch == epoch }.compactMap { $0.bound?[layer] })?.mean
        })
    }
  }
}

/// Each once, as they first come.
func inOrder<Name: Hashable>(_ names: [Name]) -> [Name] {
  var known: Set<Name> = []
  return names.filter { known.insert($0).inserted }
}
