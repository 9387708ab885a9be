import ArgumentParser
import FisherKit
import FisherKitToolSupport
import Foundation

/// A tuner's run: the range test, the halving, and the comparison with the defaults.
final class TuneRun {
  private let flags: TuneFlags
  private let budget: Double
  private let objective: TuneObjective
  private let count: Int
  private let seed: UInt64
  private let log: TuneLog?
  private let view: TuneView
  private let data = ExperimentData()
  private var trials: [Trial] = []
  /// Of the last rung that is over.
  private var best: (trial: Trial, score: TuneScore)?

  init(
    flags: TuneFlags, budget: Double, objective: TuneObjective, trials: Int, seed: UInt64, log: TuneLog?,
    view: TuneView
  ) {
    (self.flags, self.budget, self.objective, self.seed) = (flags, budget, objective, seed)
    (count, self.log, self.view) = (trials, log, view)
  }

  /// For a run that ends before it is done.
  var bestText: String? {
    // (in the first rung some are ahead of others by a turn)
    let first = trials.filter { $0.failure == nil }.compactMap { trial in trial.score.map { (trial, $0) } }
    return (best ?? first.min { $0.1 < $1.1 }).map {
      "the best so far, trial \($0.0.number), has a \(objective.lossName) of \(short($0.1.loss)) after "
        + "\(short($0.1.seconds, 3)) s of training: \(flags.text(of: $0.0.settings))"
    }
  }

  func run() throws -> TuneResult {
    let split = try data.load(for: try flags.training(TuneSettings(), seed: seed))
    let clock = TuneClock()
    view.begin(budget: budget, objective: objective, seed: seed, data: split)
    try log?.write(
      TuneHeader(
        command: commandText(), version: FisherKitVersion.current, seed: seed, budget: budget,
        objective: objective.words, tuned: flags.quantities.map(\.rawValue),
        arguments: flags.words.joined(separator: " "), threads: Compute.threads,
        machine: .current(cores: ProcessInfo.processInfo.activeProcessorCount)))
    let context = try makeContext(clock: clock)
    let (cost, range) = try test(split, context)
    trials = try makeTrials(split, context, cost: cost, range: range)
    let halving = Halving(trials: trials.count)
    view.show(halving: halving)
    let rungs = try halving.run(
      trials, now: { clock.now }, end: budget * (1 - TuneShares.comparison),
      onRung: { [view] in view.beginRung($0) }, onEnd: { [self] in try end($0) })
    let ranking = rungs.last?.standings.filter { $0.outcome.score != nil }.map(\.trial) ?? []
    guard let winner = ranking.first else { throw allFailed(trials) }
    // (where the defaults are ahead, the next best has another chance)
    let challenger = winner.isDefaults ? ranking.dropFirst().first : winner
    let comparison = try TuneComparison(flags: flags, context: context, data: data, clock: clock, seed: seed &+ 1)
      .run(
        defaults: trials[0], challenger: challenger, end: budget,
        onStart: { [view] in view.beginComparison(seed: self.seed &+ 1) })
    let choice = comparison.choice(winner: winner, flags: flags, objective: objective, elapsed: clock.now)
    try log?.write(choice)
    view.end(choice, flags: flags)
    return TuneResult(
      settings: choice.settings, objective: objective, range: range, trials: trials, chosen: choice.trial,
      comparison: comparison)
  }

  private func makeContext(clock: TuneClock) throws -> TrialContext {
    let free = availableMemory() ?? 1 << 33
    let optimizer = flags.defaults.optimizer
    let needsCosts = optimizer.optimizer == .rngd && (optimizer.metric ?? .auto) == .auto
    let costs =
      try optimizer.natural.costModel.map { try CostModelFile(path: $0).load() }
      ?? (needsCosts ? MachineCosts.measure(Float.self) : nil)
    let context = TrialContext(
      clock: clock, objective: objective, epochs: flags.epochs, costs: costs, memoryCap: free / 2, mostBytes: free / 2)
    context.onProgress = { [view] in view.show(progress: $0) }
    return context
  }

  /// The range test, or a few steps where no rate is to be found: what a trial takes is known then.
  private func test(_ split: DataSplit, _ context: TrialContext) throws -> (TrialCost, TuneRange?) {
    let (training, begin) = (try flags.training(TuneSettings(), seed: seed), context.clock.now)
    let trainer = try training.makeTrainer(data: split, costs: context.costs, memoryCap: context.memoryCap)
    let made = context.clock.now
    context.setup = made - begin
    let samples = objective.samples(of: split)
    _ = try trainer.evaluate(split.samples, samples)
    let warm = context.clock.now
    _ = try trainer.evaluate(split.samples, samples)
    let evaluation = context.clock.now - warm
    let usual = trainer.optimizer.learningRate
    let grows = flags.quantities.contains(.learningRate)
    var cost = TrialCost(
      setup: context.setup, evaluation: evaluation * Double(objective.evaluations), perSecond: 1, done: 0)
    let steps = grows ? RangeCurve.steps : TuneShares.fewestSteps
    func requireBudget(_ step: Double, least: Double = 0) throws {
      let needed = begin + TuneShares.least(trials: count, cost: cost, step: step, testSteps: steps)
      guard max(needed, least) > budget else { return }
      throw ValidationError(
        "--budget: expected \(Self.roundedUp(max(needed, least))) seconds or more for \(count) trials of this network "
          + "(or fewer --trials), found \(short(budget))")
    }
    let result = try RangeTest(trainer: trainer, grows: grows).run { step in
      // (a step that is slower than the first ones let hope)
      if context.clock.now - begin > TuneShares.range * budget {
        try requireBudget(step, least: budget * (1 + 1e-9))
      }
    }
    // What epochs end with: of larger mini-batches there are more epochs in a second.
    let perEpoch = evaluation * Double(split.training.count + split.validation.count) / Double(samples.count)
    let epochs = Double(trainer.batchSize) / result.step / Double(split.training.count)
    cost.perSecond += perEpoch * epochs * (flags.quantities.contains(.batch) ? 2 : 1)
    try requireBudget(result.step * cost.perSecond)
    guard grows else { return (cost, nil) }
    let found = result.curve.interval
    let range = TuneRange(
      seconds: context.clock.now - begin, rates: result.curve.rates, losses: result.curve.losses,
      ended: result.curve.ended, low: found?.lowerBound ?? usual / 10, high: found?.upperBound ?? usual * 10,
      isAboutTheDefault: found == nil)
    try log?.write(range)
    view.show(range)
    return (cost, range)
  }

  private static func roundedUp(_ seconds: Double) -> String {
    let unit = pow(10, floor(log10(seconds)) - 1)
    return short((seconds / unit).rounded(.up) * unit, 3)
  }

  private func makeTrials(
    _ split: DataSplit, _ context: TrialContext, cost: TrialCost, range: TuneRange?
  ) throws -> [Trial] {
    let optimizer = flags.defaults.optimizer.optimizer
    let usualBatch = flags.defaults.schedule.batch(for: split)
    let sampler = TuneSampler(
      quantities: flags.quantities, rates: range.map { $0.low...$0.high },
      rateFactor: { optimizer.usualLearningRate(batch: $0) / optimizer.usualLearningRate(batch: usualBatch) },
      usualDamping: flags.usualDamping, batches: TuneSampler.batches(samples: split.training.count))
    return try sampler.draw(count, seed: seed).enumerated().map { number, settings in
      Trial(
        number: number, settings: settings, training: try flags.training(settings, seed: seed), data: split,
        run: context, cost: cost)
    }
  }

  private func end(_ rung: Halving.Rung<Trial>) throws {
    for standing in rung.standings {
      let (trial, score) = (standing.trial, standing.outcome.score)
      try log?.write(
        TuneRecord(
          rung: rung.number + 1, trial: trial.number, settings: trial.settings,
          arguments: flags.all(trial.settings).joined(separator: " "), seconds: score?.seconds ?? trial.seconds,
          steps: score?.steps ?? trial.steps, loss: score?.loss, reachedAt: score?.reachedAt, failure: trial.failure))
    }
    let numbers = rung.standings.prefix(rung.kept).map(\.trial.number)
    try log?.write(TuneSurvivors(rung: rung.number + 1, seconds: rung.seconds, survivors: numbers))
    view.show(rung)
    if let first = rung.standings.first, let score = first.outcome.score { best = (first.trial, score) }
  }

  private struct AllFailed: LocalizedError { var errorDescription: String? }

  private func allFailed(_ trials: [Trial]) -> AllFailed {
    let first = trials.lazy.compactMap(\.failure).first
    return AllFailed(
      errorDescription: "fisher tune: expected a trial that trains, found "
        + (first.map { "that all \(trials.count) failed; the first: \($0)" } ?? "that the time was over before"))
  }
}
