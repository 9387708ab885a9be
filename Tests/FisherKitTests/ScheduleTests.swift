import Foundation
import Testing

@testable import FisherKit

/// Schedules against what their formulas say, and as text.
@Suite struct ScheduleTests {
  private func factors(_ schedule: any Schedule, _ steps: [Int], length: Int?, run: RunLength? = nil) -> [Double?] {
    steps.map { schedule.factor(at: ScheduleProgress(step: $0, length: length, run: run ?? RunLength(steps: length))) }
  }

  @Test func formulas() {
    #expect(factors(Constant(), [0, 50, 1000], length: nil) == [1, 1, 1])
    #expect(factors(WarmUp(), [0, 4, 9, 20], length: 10) == [0.1, 0.5, 1, 1])
    #expect(factors(WarmUp(from: 0.5), [0, 9], length: 10) == [0.55, 1])
    #expect(factors(LinearSchedule(), [0, 25, 100, 200], length: 100) == [1, 0.75, 0, 0])
    #expect(factors(LinearSchedule(from: 0.5, to: 1.5), [0, 50, 100], length: 100) == [0.5, 1, 1.5])
    #expect(factors(InverseRoot(shift: .steps(100)), [0, 300], length: nil) == [1, 0.5])
    #expect(factors(Staircase(at: [.steps(10), .share(0.5)], by: 0.1), [9, 10, 49], length: 100) == [1, 0.1, 0.1])
    let late = factors(Staircase(at: [.steps(10), .share(0.5)], by: 0.1), [50], length: 100)[0] ?? 0
    #expect(abs(late - 0.01) < 1e-15)
    for (step, expected) in [(0, 1.0), (25, 0.5 + 0.5 * 0.5.squareRoot()), (50, 0.5), (100, 0), (101, 0)] {
      let found = factors(Cosine(), [step], length: 100)[0] ?? .nan
      #expect(abs(found - expected) < 1e-15, "cosine at \(step): \(found)")
      let raised = factors(Cosine(to: 0.2), [step], length: 100)[0] ?? .nan
      #expect(abs(raised - (0.2 + 0.8 * expected)) < 1e-15)
    }
    for (step, expected) in [(0, 0.1), (15, 0.55), (30, 1.0), (65, 0.505), (100, 0.01)] {
      let found = factors(OneCycle(peak: 0.3, from: 0.1, to: 0.01), [step], length: 100)[0] ?? .nan
      #expect(abs(found - expected) < 1e-12, "one cycle at \(step): \(found)")
    }
  }

  /// What goes by the length of a run has no factor where nobody knows that.
  @Test func unknownLength() {
    for schedule: any Schedule in [WarmUp(), Cosine(), LinearSchedule(), OneCycle(), Staircase(at: [.share(0.5)])] {
      #expect(schedule.factor(at: ScheduleProgress(step: 3, length: nil)) == nil, "\(schedule)")
    }
    #expect(InverseRoot(shift: .epochs(1)).factor(at: ScheduleProgress(step: 3, length: nil)) == nil)
    let pieces = WarmUp().over(.steps(4)).then(Cosine())
    #expect(pieces.factor(at: ScheduleProgress(step: 3, length: nil)) == 1)
    #expect(pieces.factor(at: ScheduleProgress(step: 4, length: nil)) == nil)
  }

  /// Each piece begins anew where the one before it ends.
  @Test func pieces() throws {
    let run = RunLength(stepsPerEpoch: 20, epochs: 5)
    #expect(run.steps == 100)
    let schedule = WarmUp().over(.share(0.1)).then(Constant().over(.epochs(1.5))).then(LinearSchedule())
    try schedule.validate()
    #expect(factors(schedule, [0, 9, 10, 39, 40, 70, 100], length: 100, run: run) == [0.1, 1, 1, 1, 1, 0.5, 0])
    // (of no length at all, a piece is passed over)
    #expect(factors(WarmUp().over(.steps(0)).then(LinearSchedule()), [0, 50], length: 100) == [1, 0.5])
  }

  @Test(arguments: [
    "constant", "warm-up:over=5%+cosine", "warm-up:from=0.1:over=100+linear:to=0.1", "cosine:to=0.01",
    "inverse-root:shift=2ep", "steps:at=50%,75%,100:by=0.2", "one-cycle", "one-cycle:peak=0.2:from=0.1:to=0.001",
    "linear:from=0.5:to=1.5", "warm-up:over=1.5ep+constant:over=10+cosine",
  ])
  func textAndBack(text: String) throws {
    let schedule = try ScheduleText.parse(text)
    #expect("\(schedule)" == text)
    let run = RunLength(stepsPerEpoch: 30, epochs: 10)
    let again = try ScheduleText.parse("\(schedule)")
    for step in stride(from: 0, to: 310, by: 7) {
      let progress = ScheduleProgress(step: step, length: run.steps, run: run)
      #expect(schedule.factor(at: progress) == again.factor(at: progress))
    }
  }

  @Test func shorthand() throws {
    #expect("\(try ScheduleText.parse("warm-up:5%+cosine"))" == "warm-up:over=5%+cosine")
    #expect("\(try ScheduleText.parse("one-cycle:peak=20%"))" == "one-cycle:peak=0.2")
  }

  @Test(arguments: [
    ("", "constant, cosine"), ("cosin", "constant, cosine"), ("cosine+linear", "a length for cosine"),
    ("cosine:to=x", "a number"), ("cosine:to=-1", "an end from 0"), ("cosine:from=2", "a setting of cosine"),
    ("warm-up:5", "-"), ("warm-up:from=2", "from 0 to 1"), ("steps", "at least one place"),
    ("steps:at=5q", "steps such as 100"), ("steps:at=150%", "0 to 100%"), ("warm-up:over=5%:over=6%+cosine", "a value"),
    ("linear:to=", "a value"), ("one-cycle:peak=1", "a peak in"), ("cosine+", "constant, cosine"),
    ("inverse-root:shift=nan", "steps such as"), ("linear:to=nan", "a number"),
  ])
  func refusals(text: String, expected: String) {
    do {
      _ = try ScheduleText.parse(text)
      #expect(expected == "-", "\(text)")
    } catch {
      #expect("\(error)".contains(expected), "\(text): \(error)")
    }
  }

  /// A schedule of one's own works where the built-in ones do, in text too.
  private struct Triangle: Schedule {
    let description = "triangle"
    func factor(at progress: ScheduleProgress) -> Double? { progress.share.map { 1 - abs(2 * $0 - 1) } }
  }

  @Test func ownSchedule() throws {
    var makers = ScheduleText.builtIn
    makers["triangle"] = ScheduleText.Maker { _ throws(FisherError) in Triangle() }
    let schedule = try ScheduleText.parse("warm-up:10+triangle", makers: makers)
    #expect(factors(schedule, [60, 110], length: 110) == [1, 0])
  }
}
