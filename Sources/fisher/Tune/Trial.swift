import FisherKit
import FisherKitToolSupport

/// A run of some settings, which can be gone on with.
final class Trial: HalvingTrial {
  let number: Int
  let settings: TuneSettings
  private let training: Train
  private let run: TrialContext
  private let data: DataSplit
  private var trainer: Trainer<Float>?
  /// Of training, as the trainer is.
  private(set) var seconds = 0.0
  private(set) var steps = 0
  /// Loss by seconds of training, over all that it was trained so far.
  private(set) var curve: [Panel.Point] = []
  private var expected: TrialCost
  private(set) var failure: String?
  private var reachedAt: Double?
  private var isAtItsEnd = false

  /// - Parameter cost: what is expected of it.
  init(number: Int, settings: TuneSettings, training: Train, data: DataSplit, run: TrialContext, cost: TrialCost) {
    (self.number, self.settings, self.training, self.data, self.run) = (number, settings, training, data, run)
    expected = cost
    expected.done = 0
  }

  deinit { release() }

  var isDefaults: Bool { settings == TuneSettings() }
  /// It has come to the loss that was asked for, or to its last epoch.
  private var isOver: Bool { reachedAt != nil || isAtItsEnd }

  /// Where it was judged last.
  var score: TuneScore? {
    curve.last.map { TuneScore(loss: $0.y, reachedAt: reachedAt, seconds: $0.x, steps: steps) }
  }

  var cost: TrialCost { isOver ? TrialCost(setup: 0, evaluation: 0, perSecond: 0, done: 0) : expected }

  /// Of its trainer, while it has one.
  var bytes: Int { trainer.map { $0.plan.modelBytes + $0.plan.optimizerBytes } ?? 0 }

  /// The most that its trainers took.
  private(set) var mostBytes = 0
  /// Of the same settings from the start.
  var freshCost: TrialCost {
    TrialCost(setup: run.setup, evaluation: expected.evaluation, perSecond: expected.perSecond, done: 0)
  }

  private struct Pause: Error {}
  /// What takes a trial out that training would go on with.
  private struct Gone: Error { var reason: String }

  func advance(to target: Double, deadline: Double) throws -> HalvingOutcome {
    if let failure { return .failed(failure) }
    if isOver, let score { return .scored(score) }
    do {
      let trainer = try self.trainer ?? make()
      run.hold(self)
      defer { run.settle(self) }
      let start = seconds
      let stops = (1...run.objective.evaluations).map {
        start + (target - start) * Double($0) / Double(run.objective.evaluations)
      }
      for stop in stops where !isOver {
        guard try train(trainer, to: stop, deadline: deadline) else { return .unfinished }
        try judge(trainer)
      }
      return score.map { .scored($0) } ?? .unfinished
    } catch let gone as Gone {
      failure = gone.reason
    } catch let error as FisherError where error.isOfTheRun || error.isOfMemory || !isDefaults {
      failure = "\(error)"
    }
    release()
    return .failed(failure ?? "")
  }

  func release() {
    trainer = nil
    run.release(self)
    (expected.done, expected.setup) = (0, run.setup)
  }

  private func make() throws -> Trainer<Float> {
    let start = run.clock.now
    (seconds, steps, curve) = (0, 0, [])
    let made: Trainer<Float>
    do {
      made = try training.makeTrainer(data: data, costs: run.costs, memoryCap: run.memoryCap)
    } catch let error as FisherError where error.isOfMemory && run.releaseAll(but: self) {
      // (without the others it may have room)
      made = try training.makeTrainer(data: data, costs: run.costs, memoryCap: run.memoryCap)
    }
    trainer = made
    run.setup = max(run.setup, run.clock.now - start)
    expected.setup = 0
    (reachedAt, isAtItsEnd) = (nil, false)
    mostBytes = max(mostBytes, bytes)
    return made
  }

  /// - Returns: whether it came to so many seconds, or to the end of its epochs, before the deadline.
  private func train(_ trainer: Trainer<Float>, to target: Double, deadline: Double) throws -> Bool {
    let (start, before) = (run.clock.now, seconds)
    defer {
      if seconds > before { expected.perSecond = max(1, (run.clock.now - start) / (seconds - before)) }
      expected.done = seconds
    }
    var (mark, isLate) = (start, false)
    do {
      try trainer.run(epochs: .max) { event in
        if let interruption = Interruption.noted { throw interruption }
        switch event {
        case .step:
          let now = run.clock.now
          (seconds, steps, mark) = (seconds + now - mark, steps + 1, now)
          isLate = seconds < target && now >= deadline
          if isLate || seconds >= target { throw Pause() }
        case .survived(let incident) where incident.remedy == .wentBack && !isDefaults:
          throw Gone(reason: "\(incident)")
        case .epoch(let report):
          if run.objective != .trainingLoss { note(report.validation.loss) }
          isAtItsEnd = report.epoch >= run.epochs ?? .max
          mark = run.clock.now
          isLate = !isAtItsEnd && mark >= deadline
          if isLate || isAtItsEnd || reachedAt != nil { throw Pause() }
        case .began: mark = run.clock.now
        case .evaluated, .survived, .stoppedEarly, .finished: break
        }
        run.onProgress(self)
      }
    } catch is Pause {
    }
    return !isLate
  }

  private func judge(_ trainer: Trainer<Float>) throws {
    let start = run.clock.now
    note(try trainer.evaluate(data.samples, run.objective.samples(of: data)).loss)
    expected.evaluation = (run.clock.now - start) * Double(run.objective.evaluations)
  }

  private func note(_ loss: Double) {
    if case .timeTo(let wanted) = run.objective, reachedAt == nil, loss <= wanted {
      // (between the two evaluations it is as if the loss had fallen evenly)
      if let last = curve.last, last.y > loss {
        reachedAt = last.x + (seconds - last.x) * (last.y - wanted) / (last.y - loss)
      } else {
        reachedAt = seconds
      }
    }
    if curve.last?.x == seconds { curve.removeLast() }
    curve.append((seconds, loss))
  }
}

extension FisherError {
  /// Whether a smaller network, or one with a cheaper metric, would not have come to it.
  var isOfMemory: Bool {
    switch self {
    case .outOfMemory, .exceedsMemoryCap, .sizeOverflow: true
    case .nonFinite, .diverged, .notPositiveDefinite, .notConverged, .inaccurate, .invalidArgument, .unsupportedForm:
      false
    }
  }
}
