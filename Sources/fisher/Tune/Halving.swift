/// What it takes to bring a trial further, in seconds of the wall clock.
struct TrialCost: Equatable {
  /// To make it, where that is to be done (again).
  var setup: Double
  /// Once at the end, for the evaluations until then.
  var evaluation: Double
  /// For a second of training, with what epochs end with.
  var perSecond: Double
  /// Seconds of training that it has behind it, and that need not be done again.
  var done: Double
}

/// Something that trains for a while, is judged, and may go on from there.
protocol HalvingTrial: AnyObject {
  var number: Int { get }
  var cost: TrialCost { get }
  /// Trains until it has so many seconds of training behind it, and judges it there.
  /// - Parameter deadline: the time by the clock at which it ends in any case.
  func advance(to seconds: Double, deadline: Double) throws -> HalvingOutcome
  /// It is not gone on with, and needs no memory any more.
  func release()
}

enum HalvingOutcome: Equatable {
  case scored(TuneScore)
  /// It cannot go on, and why.
  case failed(String)
  /// The deadline came first.
  case unfinished
}

/// Successive halving (Jamieson and Talwalkar 2016): all trials get the same few seconds of training, the better third of
/// them three times that and more, and so on. Each rung has the same share of the time; a trial goes on from where it was.
struct Halving {
  static let eta = 3

  /// How many trials are in each rung.
  let rungs: [Int]

  init(trials: Int) {
    var rungs = [trials]
    while let last = rungs.last, last > Self.eta { rungs.append(Self.kept(of: last)) }
    self.rungs = rungs
  }

  static func kept(of count: Int) -> Int { (count + eta - 1) / eta }

  /// The seconds of training to which all trials of a rung can be brought in that much time; none where that is not beyond
  /// what they have.
  static func target(_ costs: [TrialCost], in time: Double) -> Double? {
    let fixed = costs.reduce(0) { $0 + $1.setup + $1.evaluation }
    let slope = costs.reduce(0) { $0 + $1.perSecond }
    let done = costs.reduce(0) { $0 + $1.perSecond * $1.done }
    guard slope > 0 else { return nil }
    let target = (time - fixed + done) / slope
    return target > (costs.map(\.done).max() ?? 0) ? target : nil
  }

  /// The same of the first of some turns. All are made in it; where that leaves nothing to part, it is the only one.
  static func target(_ costs: [TrialCost], in time: Double, turns: Int) -> Double? {
    let setup = costs.reduce(0) { $0 + $1.setup }
    return target(costs, in: setup + (time - setup) / Double(turns)) ?? target(costs, in: time)
  }

  struct Standing<Trial: HalvingTrial> {
    var trial: Trial
    var outcome: HalvingOutcome
  }

  /// A rung that is over: its standings, the best first, and how many of them go on.
  struct Rung<Trial: HalvingTrial> {
    var number: Int
    /// The seconds of training that each of its trials has been judged by.
    var seconds: Double
    var standings: [Standing<Trial>]
    var kept: Int
    /// Whether the time was over before it had come to its end.
    var isCut: Bool
  }

  /// A rung is gone through by turns, so that all of its trials have the same seconds of training whenever the time is over,
  /// and what they take is known better from turn to turn.
  static let turns = 3

  /// - Parameters:
  ///   - now: the clock; `end`: its time at which all of this is over.
  ///   - onRung: told before a rung is begun, and `onEnd` what it came to.
  /// - Returns: the rungs that came to something. The last one's first trial is the best.
  func run<Trial: HalvingTrial>(
    _ trials: [Trial], now: () -> Double, end: Double, onRung: (_ number: Int) -> Void = { _ in },
    onEnd: (Rung<Trial>) throws -> Void = { _ in }
  ) throws -> [Rung<Trial>] {
    var left = trials
    var done: [Rung<Trial>] = []
    for number in rungs.indices {
      onRung(number)
      let share = (end - now()) / Double(rungs.count - number)
      guard let rung = try run(rung: number, left, now: now, share: share, end: end) else { break }
      for standing in rung.standings.dropFirst(rung.kept) { standing.trial.release() }
      try onEnd(rung)
      guard rung.kept > 0 else { break }
      done.append(rung)
      left = rung.standings.prefix(rung.kept).map(\.trial)
      // (who came first to a loss is known once somebody has come to it)
      if rung.isCut || left.count < 2 || rung.standings.contains(where: \.outcome.hasReached) { break }
    }
    return done
  }

  /// - Returns: `nil` where there is no time to bring its trials any further.
  private func run<Trial: HalvingTrial>(
    rung number: Int, _ trials: [Trial], now: () -> Double, share: Double, end: Double
  ) throws -> Rung<Trial>? {
    let begin = now()
    var (standings, seconds, isCut): ([Standing<Trial>], Double, Bool) = ([], 0, false)
    for turn in 0..<Self.turns where !isCut {
      let going = trials.filter { trial in !standings.contains { $0.trial === trial && $0.outcome.isFailed } }
      // (those that had to give up their memory begin anew, which is not to be done more often than it must)
      let isPossible = turn == 0 || going.allSatisfy { $0.cost.setup == 0 }
      let left = begin + share - now()
      guard isPossible, let target = Self.target(going.map(\.cost), in: left, turns: Self.turns - turn) else { break }
      var outcomes: [Standing<Trial>] = []
      for trial in going {
        let outcome = now() < end ? try trial.advance(to: target, deadline: end) : .unfinished
        if outcome.isFailed { trial.release() }
        outcomes.append(Standing(trial: trial, outcome: outcome))
      }
      isCut = outcomes.contains { $0.outcome == .unfinished }
      // Of a turn without all its results nothing can be said of the others.
      let failed = standings.filter(\.outcome.isFailed)
      if !isCut || standings.isEmpty {
        (standings, seconds) = (failed + outcomes, target)
      } else {
        standings = standings.map { old in outcomes.first { $0.trial === old.trial && $0.outcome.isFailed } ?? old }
      }
      if standings.contains(where: \.outcome.hasReached) { break }
    }
    guard !standings.isEmpty else { return nil }
    let scored = standings.count { $0.outcome.score != nil }
    let most = number == rungs.count - 1 ? 1 : Self.kept(of: standings.count)
    return Rung(
      number: number, seconds: seconds, standings: standings.sorted { Self.isAhead($0, $1) }, kept: min(scored, most),
      isCut: isCut)
  }

  /// By score, and the first drawn among equals; those without one behind.
  private static func isAhead<Trial>(_ a: Standing<Trial>, _ b: Standing<Trial>) -> Bool {
    switch (a.outcome.score, b.outcome.score) {
    case (let first?, let second?) where first < second: true
    case (let first?, let second?) where second < first: false
    case (_?, nil): true
    case (nil, _?): false
    default: a.trial.number < b.trial.number
    }
  }
}

extension HalvingOutcome {
  var score: TuneScore? { if case .scored(let score) = self { score } else { nil } }
  var isFailed: Bool { if case .failed = self { true } else { false } }
  var hasReached: Bool { score?.reachedAt != nil }
}
