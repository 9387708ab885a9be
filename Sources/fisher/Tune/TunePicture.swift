import FisherKit
import FisherKitToolSupport

/// What a tuner's run came to.
struct TuneResult {
  var settings: TuneSettings
  var objective: TuneObjective
  var range: TuneRange?
  var trials: [Trial]
  /// The trial that was chosen.
  var chosen: Int
  var comparison: TuneComparison.Outcome
}

/// Its picture: the range test, the trials by seconds of training, and the comparison with the defaults.
struct TunePicture {
  private let result: TuneResult

  init(_ result: TuneResult) { self.result = result }

  /// Places of curves, by which they look: the chosen one and the defaults are the same in all panels.
  private static let (chosen, defaults, others, test, rates) = (0, 1, 6, 2, 3)

  var svg: String {
    let panels = [range, trials, comparison].compactMap { $0 }
    var names: [(place: Int, name: String)] = []
    if result.chosen != 0 || rival != nil {
      let number = result.chosen != 0 ? result.chosen : rival ?? 0
      names.append(
        (Self.chosen, result.chosen != 0 ? "chosen, trial \(number)" : "best of the others, trial \(number)"))
    }
    names.append((Self.defaults, result.chosen == 0 ? "the defaults, chosen" : "the defaults"))
    names.append((Self.others, "other trials"))
    if range != nil {
      names += [(Self.test, "range test, mean of 7 steps"), (Self.rates, "rates that were drawn from")]
    }
    return FigureSVG.draw(
      panels, columns: min(2, max(1, panels.count)), title: "fisher tune", names: names, faint: [Self.others],
      look: Look.adaptive)
  }

  /// Beside the defaults.
  private var rival: Int? { result.chosen != 0 ? result.chosen : result.comparison.challenger }

  private var range: Panel? {
    guard let test = result.range, let start = test.losses.first else { return nil }
    let curve = RangeCurve(rates: test.rates, losses: test.losses, ended: test.ended).smoothed
    // (what explodes would leave the fall no room)
    let shown = (curve + test.losses).filter { $0 < start + max(abs(start), 1e-3) * 0.5 }
    guard
      let x = Axis("learning rate", over: test.rates + [test.low, test.high], isLogarithmic: true, room: 0.02),
      let y = Axis("loss of the mini-batch after the step, nats", over: shown)
    else { return nil }
    let beyond = (y.low - (y.high - y.low), y.high + (y.high - y.low))
    let series = [
      Panel.Series(
        place: Self.test, name: "range test", runs: [Array(zip(test.rates, test.losses))],
        mean: Array(zip(test.rates, curve)), averaged: 1),
      // (a line that comes up, leaves the picture and goes down again)
      Panel.Series(
        place: Self.rates, name: "rates that were drawn from", runs: [],
        mean: [
          (test.low, beyond.0), (test.low, beyond.1), (test.high, beyond.1), (test.high, beyond.0),
        ], averaged: 1),
    ]
    return Panel(
      heading: "range test: loss by learning rate", title: "range test",
      description: "Loss over a learning rate that grows at each step; rates were drawn from \(short(test.low)) to "
        + "\(short(test.high)).", x: x, y: y, series: series)
  }

  private var trials: Panel? {
    let known = result.trials.filter { !$0.curve.isEmpty }
    func curve(_ number: Int?) -> [Panel.Point] { known.first { $0.number == number }?.curve ?? [] }
    let rest = known.filter { $0.number != 0 && $0.number != rival }
    let start = known.compactMap(\.curve.first?.y).sorted()
    // (what ran away would leave the others no room)
    let most = start.isEmpty ? 0 : 3 * abs(start[start.count / 2])
    return panel(
      "trials: \(result.objective.lossName) by seconds of training", title: "trials",
      description: "A curve for each of \(known.count) trials, as far as it went.", upTo: most,
      [
        (Self.others, "other trials", rest.map(\.curve), []), (Self.defaults, "the defaults", [], curve(0)),
        (Self.chosen, "the best", [], rival == 0 ? [] : curve(rival)),
      ])
  }

  private var comparison: Panel? {
    let (outcome, name) = (result.comparison, result.objective.lossName)
    return panel(
      "compared by seed \(outcome.seed): \(name) by seconds", title: "comparison",
      description: "The best settings and the defaults from the start, by a seed that nothing was chosen by.",
      upTo: .infinity,
      [
        (Self.defaults, "the defaults", [], outcome.curves.defaults),
        (Self.chosen, "the best", [], outcome.curves.challenger),
      ])
  }

  private func panel(
    _ heading: String, title: String, description: String, upTo most: Double,
    _ curves: [(place: Int, name: String, runs: [[Panel.Point]], mean: [Panel.Point])]
  ) -> Panel? {
    let points = curves.flatMap { $0.runs.flatMap { $0 } + $0.mean }
    let inside = points.filter { $0.y <= most }
    guard
      let x = Axis("seconds of training", over: points.map(\.x), isLogarithmic: true, room: 0.02),
      let y = Axis("\(result.objective.lossName), nats", over: inside.map(\.y), isLogarithmic: true)
        ?? Axis("\(result.objective.lossName), nats", over: inside.map(\.y))
    else { return nil }
    return Panel(
      heading: heading, title: title, description: description, x: x, y: y,
      series: curves.filter { !$0.runs.isEmpty || !$0.mean.isEmpty }.map {
        Panel.Series(place: $0.place, name: $0.name, runs: $0.runs, mean: $0.mean, averaged: 1)
      })
  }
}
