/// The seconds of the budget that are gone. Loading data is none of them.
final class TuneClock {
  private let start = ContinuousClock.now
  private var left = 0.0

  var now: Double { (ContinuousClock.now - start) / .seconds(1) - left }

  func leavingOut<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = now
    defer { left += now - before }
    return try body()
  }
}

/// How a budget is shared.
struct TuneShares {
  /// Of the range test at most, if there is one.
  static let range = 0.15
  /// Of the comparison of what was chosen with the defaults.
  static let comparison = 0.3
  /// That each trial's first rung is to have, or the losses are those of the start.
  static let fewestSteps = 10

  /// The least budget that makes sense for so many trials, by what a trial takes.
  /// - Parameters:
  ///   - cost: of the defaults; `step`: seconds of one of its steps.
  ///   - testSteps: of the range test, or of the trial run that there is instead.
  static func least(trials: Int, cost: TrialCost, step: Double, testSteps: Int) -> Double {
    let test = cost.setup + cost.evaluation + Double(testSteps) * step
    let rungs = Halving(trials: trials).rungs
    let first = Double(trials) * (cost.setup + cost.evaluation + Double(fewestSteps) * step)
    return max(test / range, (test + Double(rungs.count) * first) / (1 - comparison))
  }
}
