import FisherKit

/// The best settings and the defaults, from the start by another seed, for what is left of the budget: what the choice
/// gained where nothing was chosen by.
struct TuneComparison {
  let flags: TuneFlags
  let context: TrialContext
  let data: ExperimentData
  let clock: TuneClock
  let seed: UInt64

  /// Both are brought on by turns, so that they have the same seconds of training whenever the time is over.
  static let turns = 6

  struct Outcome {
    var seed: UInt64
    /// The trials of the halving that were compared.
    var challenger: Int?
    var settings: TuneSettings
    var seconds: Double?
    var challengers: HalvingOutcome
    var defaults: HalvingOutcome
    var curves: (challenger: [Panel.Point], defaults: [Panel.Point])
  }

  func run(defaults: Trial, challenger: Trial?, end: Double, onStart: () -> Void) throws -> Outcome {
    var outcome = Outcome(
      seed: seed, challenger: challenger?.number, settings: challenger?.settings ?? TuneSettings(),
      challengers: .unfinished, defaults: .unfinished, curves: ([], []))
    guard let challenger else { return outcome }
    for trial in [defaults, challenger] { trial.release() }
    onStart()
    let training = try [TuneSettings(), challenger.settings].map { try flags.training($0, seed: seed) }
    let split = try clock.leavingOut { try data.load(for: training[0]) }
    let pair = zip([defaults, challenger], training).map { trial, training in
      Trial(
        number: trial.number, settings: trial.settings, training: training, data: split, run: context,
        cost: trial.freshCost)
    }
    defer { for trial in pair { trial.release() } }
    // (where there is no room for both, each turn would begin anew)
    let turns = context.hasRoom(for: defaults.mostBytes + challenger.mostBytes) ? Self.turns : 1
    for turn in 0..<turns {
      guard let target = Halving.target(pair.map(\.cost), in: end - clock.now, turns: turns - turn) else { break }
      let results = try pair.map { try clock.now < end ? $0.advance(to: target, deadline: end) : .unfinished }
      guard !results.contains(.unfinished) else { break }
      (outcome.defaults, outcome.challengers, outcome.seconds) = (results[0], results[1], target)
      outcome.curves = (pair[1].curve, pair[0].curve)
      if results.contains(where: \.isFailed) { break }
    }
    return outcome
  }
}

extension TuneComparison.Outcome {
  /// - Parameter winner: of the halving.
  func choice(winner: Trial, flags: TuneFlags, objective: TuneObjective, elapsed: Double) -> TuneChoice {
    let (mine, theirs) = (challengers.score, defaults.score)
    var takesChallenger: Bool
    switch (mine, theirs) {
    case (let mine?, let theirs?): takesChallenger = mine < theirs
    case (_?, nil): takesChallenger = true
    case (nil, _?): takesChallenger = false
    case (nil, nil): takesChallenger = !winner.isDefaults
    }
    let number = challenger ?? 0
    let settings = takesChallenger ? self.settings : TuneSettings()
    return TuneChoice(
      trial: takesChallenger ? number : 0, settings: settings, arguments: flags.all(settings).joined(separator: " "),
      seconds: seconds, seed: seed, loss: (takesChallenger ? mine : theirs)?.loss, defaultsLoss: theirs?.loss,
      reachedAt: (takesChallenger ? mine : theirs)?.reachedAt, defaultsReachedAt: theirs?.reachedAt, elapsed: elapsed,
      text: text(takesChallenger, objective, winner: winner))
  }

  private func text(_ takesChallenger: Bool, _ objective: TuneObjective, winner: Trial) -> String {
    guard let number = challenger else { return "no other trial came as far as the defaults, which stay" }
    let name = "trial \(number)"
    guard seconds != nil else {
      return "no time was left to compare with the defaults; " + (takesChallenger ? name : "the defaults")
        + " did best in the trials"
    }
    func words(_ outcome: HalvingOutcome) -> String {
      switch outcome {
      case .unfinished: "nothing"
      case .failed(let reason): "a failure (\(reason))"
      case .scored(let score):
        if case .timeTo = objective {
          score.reachedAt.map { "\(fixed($0, 3)) s" }
            ?? "a loss of \(fixed(score.loss, 4)) in \(fixed(seconds ?? 0, 2)) s"
        } else {
          fixed(score.loss, 4)
        }
      }
    }
    let what: String
    if case .timeTo(let loss) = objective {
      what = "training to a validation loss of \(short(loss)), by seed \(seed): "
    } else {
      what = "\(objective.lossName) after \(fixed(seconds ?? 0, 2)) s of training, by seed \(seed): "
    }
    return takesChallenger
      ? what + "\(words(challengers)) against \(words(defaults)) by the defaults"
      : what + "the defaults win with \(words(defaults)) against \(words(challengers)) by \(name)"
  }
}
