import FisherKitToolSupport

/// Curves over a pair of axes.
struct Panel {
  typealias Point = (x: Double, y: Double)

  struct Series {
    /// Its place among the network's optimizers, by which it has the same look in all panels.
    var place: Int
    var name: String
    var runs: [[Point]]
    /// Over those of the runs that did not fail, and how many these are.
    var mean: [Point]
    var averaged: Int
  }

  /// What stands above it, where its network is known; and what it is by itself.
  var heading: String
  var title: String
  var description: String
  var x: Axis
  var y: Axis
  var series: [Series]
}

/// The panels of a network, as published: by epoch, and the second half of the epochs again with a range of its own.
struct NetworkFigure {
  var name: String
  var whole: [Panel]
  var zoomed: [Panel]
  var bySeconds: [Panel]
  /// What the legend shows.
  var names: [(place: Int, name: String)]

  private typealias Value = (RunRecord.Epoch) -> Double

  init(_ network: Study.Network) {
    name = network.name
    let chosen = network.chosen
    names = chosen.map { ($0.place, $0.result.optimizer) }
    let last = chosen.flatMap { $0.result.ended }.compactMap { $0.epochs.last?.epoch }.max() ?? 1
    let loss = Self.panel(network.name, "training loss", chosen, by: { Double($0.epoch) }, of: \.trainLoss)
    let accuracy = Self.panel(
      network.name, "validation accuracy", chosen, by: { Double($0.epoch) }, of: \.validationAccuracy)
    whole = [loss, accuracy].compactMap { $0 }
    let half = max(1, last / 2)
    zoomed = half == 1 ? [] : whole.compactMap { Self.zoom($0, from: Double(half)) }
    bySeconds = [Self.panel(network.name, "training loss", chosen, by: \.seconds, of: \.trainLoss, inSeconds: true)]
      .compactMap { $0 }
  }

  private static func panel(
    _ network: String, _ what: String, _ chosen: [(place: Int, result: OptimizerResult)], by x: @escaping Value,
    of y: @escaping (RunRecord.Epoch) -> Double?, inSeconds: Bool = false
  ) -> Panel? {
    func points(_ run: RunRecord) -> [Panel.Point] {
      run.epochs.compactMap { epoch in y(epoch).map { (x(epoch), $0) } }
    }
    let series = chosen.map { place, result in
      Panel.Series(
        place: place, name: result.optimizer, runs: result.runs.map(points), mean: mean(result.ended.map(points)),
        averaged: result.ended.count)
    }
    // A run that failed may have ended far away; the others set the range.
    let ended = chosen.flatMap { $0.result.ended }.flatMap(points)
    let shown = ended.isEmpty ? chosen.flatMap { $0.result.runs }.flatMap(points) : ended
    let isLoss = what == "training loss"
    let by = inSeconds ? "seconds of training" : "epoch"
    let yLabel = isLoss ? "training loss, nats" : what
    guard
      let xAxis = Axis(by, over: shown.map(\.x), isLogarithmic: inSeconds, room: 0.02),
      // (a loss of exactly 0 everywhere has no logarithm)
      let yAxis = Axis(yLabel, over: shown.map(\.y), isLogarithmic: isLoss) ?? Axis(yLabel, over: shown.map(\.y))
    else { return nil }
    return Panel(
      heading: "\(what) by \(by)", title: "\(network): \(what) by \(by)", description: describe(what, by, series),
      x: xAxis, y: yAxis, series: series
    )
  }

  private static func describe(_ what: String, _ by: String, _ series: [Panel.Series]) -> String {
    let ends = series.compactMap { one in
      one.mean.last.map { "\(one.name) ends at \(Text.number($0.y)), the mean of \(Text.count(one.averaged, "run"))" }
    }
    return "Curves of \(what) by \(by), each run faint and the mean bold. " + Text.list(ends) + "."
  }

  private static func zoom(_ panel: Panel, from start: Double) -> Panel? {
    let inside = panel.series.flatMap { $0.runs + [$0.mean] }.flatMap { $0 }
      .filter { $0.x >= start && $0.x <= panel.x.high }
    // (runs that failed are held to the range of the others here too)
    let inRange = inside.filter { (panel.y.low...panel.y.high).contains($0.y) }
    guard let x = Axis(panel.x.label, over: inRange.map(\.x), room: 0.02),
      let y = Axis(panel.y.label, over: inRange.map(\.y), isLogarithmic: panel.y.isLogarithmic)
    else { return nil }
    var zoomed = panel
    (zoomed.x, zoomed.y) = (x, y)
    zoomed.title += ", second half"
    zoomed.heading += ", second half"
    return zoomed
  }

  /// Point by point over runs of as many epochs; those that end earlier are left out where they have no more.
  private static func mean(_ runs: [[Panel.Point]]) -> [Panel.Point] {
    (0..<(runs.map(\.count).max() ?? 0)).map { index in
      let points = runs.filter { index < $0.count }.map { $0[index] }
      let n = Double(points.count)
      return (points.map(\.x).reduce(0, +) / n, points.map(\.y).reduce(0, +) / n)
    }
  }
}
