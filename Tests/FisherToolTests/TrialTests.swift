import FisherKit
import Testing

@testable import FisherKitTool

/// A tuner's trial: gone on with where there is room for it, begun anew where there is none.
@Suite struct TrialTests {
  private func trial(mostBytes: Int, epochs: Int? = nil, flags: [String] = []) throws -> Trial {
    let training = try Train.parse(["--optimizer", "sgd", "--shape", "64,16,10", "--validation", "500"] + flags)
    let context = TrialContext(
      clock: TuneClock(), objective: .validationLoss, epochs: epochs, costs: nil, memoryCap: 1 << 30,
      mostBytes: mostBytes)
    var settings = TuneSettings()
    settings.batch = 50
    return Trial(
      number: 1, settings: settings, training: training, data: try training.network.source.load(seed: 0), run: context,
      cost: TrialCost(setup: 0.1, evaluation: 0.1, perSecond: 1, done: 0))
  }

  @Test(arguments: [true, false]) func goingOn(hasRoom: Bool) throws {
    let trial = try trial(mostBytes: hasRoom ? 1 << 30 : 1)
    #expect(trial.cost.done == 0 && trial.cost.setup == 0.1)
    let first = try #require(try trial.advance(to: 0.02, deadline: 100).score)
    #expect(first.seconds >= 0.02 && first.steps > 0 && first.loss < 10)
    #expect((trial.bytes > 0) == hasRoom && (trial.cost.setup == 0) == hasRoom)
    #expect((trial.cost.done > 0) == hasRoom && trial.mostBytes > 0)
    let second = try #require(try trial.advance(to: 0.06, deadline: 100).score)
    #expect(second.seconds >= 0.06 && second.steps > first.steps)
    // (what was trained before is in the curve only where it was gone on with)
    #expect(trial.curve.contains { $0.x == first.seconds } == hasRoom)
    trial.release()
    #expect(trial.bytes == 0 && trial.cost.done == 0)
  }

  /// The deadline comes first, a loss explodes, or all epochs are done.
  @Test func ends() throws {
    #expect(try trial(mostBytes: 1 << 30).advance(to: 100, deadline: 0) == .unfinished)
    let wild = try trial(mostBytes: 1 << 30, flags: ["--learning-rate", "1e10"])
    let outcome = try wild.advance(to: 100, deadline: 100)
    #expect(outcome.isFailed && wild.failure?.isEmpty == false && wild.bytes == 0)
    #expect(try wild.advance(to: 200, deadline: 200) == outcome)
    let short = try trial(mostBytes: 1 << 30, epochs: 1)
    let score = try #require(try short.advance(to: 1000, deadline: 1000).score)
    #expect(score.steps == 200 && short.cost.perSecond == 0)
    #expect(try short.advance(to: 2000, deadline: 2000) == .scored(score))
  }
}
