import Testing

@testable import FisherKitTool

/// A trial that only pretends to train: its loss is a function of its seconds, and its clock is everybody's.
private final class FakeTrial: HalvingTrial {
  final class Clock { var now = 0.0 }

  let number: Int
  let clock: Clock
  let loss: (Double) -> Double
  /// What it says that it takes, and what it takes.
  let (setup, evaluation, perSecond, slower): (Double, Double, Double, Double)
  var failsAt = Double.infinity
  var target: Double?
  var isMade = false
  var keepsItself = true
  private(set) var (done, advances, releases) = (0.0, 0, 0)

  init(
    _ number: Int, _ clock: Clock, setup: Double = 0.1, evaluation: Double = 0.05, perSecond: Double = 1.5,
    slower: Double = 1, loss: @escaping (Double) -> Double
  ) {
    (self.number, self.clock, self.loss) = (number, clock, loss)
    (self.setup, self.evaluation, self.perSecond, self.slower) = (setup, evaluation, perSecond, slower)
  }

  var cost: TrialCost {
    TrialCost(setup: isMade ? 0 : setup, evaluation: evaluation, perSecond: perSecond, done: isMade ? done : 0)
  }

  func advance(to seconds: Double, deadline: Double) -> HalvingOutcome {
    advances += 1
    if !isMade { (isMade, done, clock.now) = (true, 0, clock.now + setup * slower) }
    let possible = done + max(0, deadline - clock.now) / (perSecond * slower)
    let reached = min(seconds, possible, failsAt)
    clock.now += (reached - done) * perSecond * slower
    done = reached
    if done >= failsAt { return .failed("it exploded") }
    if done < seconds { return .unfinished }
    clock.now += evaluation * slower
    let score = TuneScore(loss: loss(done), reachedAt: target.flatMap { loss(done) <= $0 ? done : nil }, seconds: done)
    if !keepsItself { isMade = false }
    return .scored(score)
  }

  func release() {
    releases += 1
    isMade = false
  }
}

/// Successive halving by itself, with losses and times that are made up.
@Suite struct HalvingTests {
  private let clock = FakeTrial.Clock()

  private func trials(_ losses: [Double], slower: Double = 1) -> [FakeTrial] {
    losses.enumerated().map { number, loss in FakeTrial(number, clock, slower: slower) { _ in loss } }
  }

  private func run(_ trials: [FakeTrial], end: Double) throws -> [Halving.Rung<FakeTrial>] {
    try Halving(trials: trials.count).run(trials, now: { clock.now }, end: end)
  }

  @Test func rungs() {
    for (trials, rungs) in [(2, [2]), (3, [3]), (4, [4, 2]), (9, [9, 3]), (10, [10, 4, 2]), (27, [27, 9, 3])] {
      #expect(Halving(trials: trials).rungs == rungs)
    }
  }

  /// The better third goes on, by loss and, where that is equal, by number.
  @Test func survivors() throws {
    let rungs = try run(trials([5, 1, 7, 3, 3, 9, 3, 8, 2]), end: 100)
    #expect(rungs.map { $0.standings.map(\.trial.number) } == [[1, 8, 3, 4, 6, 0, 2, 7, 5], [1, 8, 3]])
    #expect(rungs.map(\.kept) == [3, 1])
  }

  /// Every trial of a rung has the same seconds of training, those of the next one more, each rung as much of the clock,
  /// and a trial goes on from where it was.
  @Test func shares() throws {
    let all = trials((0..<27).map(Double.init))
    var ends: [Double] = []
    let rungs = try Halving(trials: 27).run(all, now: { clock.now }, end: 90, onEnd: { _ in ends.append(clock.now) })
    #expect(rungs.count == 3 && clock.now <= 90 && clock.now > 85)
    for (index, end) in ends.enumerated() { #expect(abs(end - 30 * Double(index + 1)) < 1, "\(ends)") }
    for rung in rungs {
      #expect(rung.standings.allSatisfy { $0.outcome.score?.seconds == rung.seconds }, "\(rung.number)")
    }
    #expect(rungs[1].seconds > 2.5 * rungs[0].seconds && rungs[2].seconds > 2.5 * rungs[1].seconds)
    // (made once, and given up once at the most)
    #expect(
      all.allSatisfy { $0.releases <= 1 } && all[0].advances == 3 * Halving.turns && all[26].advances == Halving.turns)
  }

  /// Whatever the trials claim to take, the clock is never exceeded by more than an evaluation.
  @Test(arguments: [0.2, 1, 3, 20]) func neverExceeds(slower: Double) throws {
    for end in [2.0, 5, 20, 60] {
      clock.now = 0
      let rungs = try run(trials((0..<27).map(Double.init), slower: slower), end: end)
      #expect(clock.now <= end + (0.05 + 0.1) * slower + 1e-9, "\(end): \(clock.now)")
      for rung in rungs where !rung.isCut {
        #expect(rung.standings.allSatisfy { $0.outcome.score?.seconds == rung.seconds }, "\(end), \(rung.number)")
      }
    }
  }

  /// A trial that turns out worse later is overtaken.
  @Test func crossing() throws {
    var all = trials([3, 4, 5, 6, 7, 8, 9])
    all.append(FakeTrial(7, clock) { 2 + $0 })
    all.append(FakeTrial(8, clock) { 4 - $0 })
    let last = try #require(try run(all, end: 60).last)
    #expect(last.standings.first?.trial.number == 8)
  }

  @Test func failures() throws {
    let all = trials([1, 2, 3, 4])
    all[0].failsAt = 0.2
    all[2].failsAt = 0
    let rungs = try run(all, end: 30)
    #expect(rungs[0].standings.map(\.trial.number) == [1, 3, 0, 2] && rungs[0].kept == 2)
    #expect(rungs[0].standings[2].outcome == .failed("it exploded"))
    #expect(rungs.last?.standings.first?.trial.number == 1)
    // (what it left is the others')
    #expect(all[0].releases >= 1 && clock.now > 28)
    clock.now = 0
    let none = trials([1, 2, 3])
    for trial in none { trial.failsAt = 0 }
    #expect(try run(none, end: 30).isEmpty)
  }

  /// Whoever comes to the loss first has won, and nobody trains on.
  @Test func timeToLoss() throws {
    let all = (0..<9).map { number in FakeTrial(number, clock) { 10 - Double(number) * $0 } }
    for trial in all { trial.target = 4 }
    let rungs = try run(all, end: 1000)
    #expect(rungs.count == 1 && rungs[0].standings.first?.outcome.score?.reachedAt != nil && clock.now < 500)
  }

  /// Trials that cannot wait begin anew, once in each rung.
  @Test func withoutMemory() throws {
    let all = trials((0..<9).map(Double.init))
    for trial in all { trial.keepsItself = false }
    let rungs = try run(all, end: 60)
    #expect(rungs.count == 2 && clock.now <= 60 + 0.05)
    #expect(all[0].advances == 2 && all[8].advances == 1)
  }

  @Test func order() {
    let (fast, slow) = (TuneScore(loss: 0.3, reachedAt: 1), TuneScore(loss: 0.1, reachedAt: 2))
    let (near, far) = (TuneScore(loss: 0.4), TuneScore(loss: 0.5))
    #expect([far, slow, near, fast].sorted() == [fast, slow, near, far])
  }
}
