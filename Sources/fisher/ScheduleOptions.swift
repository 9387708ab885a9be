import ArgumentParser
import FisherKit

/// How the numbers of an optimizer change as training goes on.
struct ScheduleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What γ is multiplied by as training goes on, such as warm-up:5%+cosine:to=0.01: constant, warm-up[:from=], cosine[:to=], "
        + "linear[:from=][:to=], inverse-root[:shift=], steps:at=[:by=], one-cycle[:peak=][:from=][:to=], one behind the other "
        + "with +, each but the last with a length: steps (100), epochs (2ep) or a share of the run (5%).",
      valueName: "schedule"))
  var schedule: String?
  @Option(help: ArgumentHelp("The same for rngd's damping.", valueName: "schedule")) var dampingSchedule: String?
  @Option(help: ArgumentHelp("The same for rngd's κ.", valueName: "schedule")) var trustRegionSchedule: String?
  @Option(help: ArgumentHelp("The same for the momentum.", valueName: "schedule")) var momentumSchedule: String?

  private var texts: [(flag: String, number: OptimizerNumber, text: String?)] {
    [
      ("schedule", .learningRate, schedule), ("damping-schedule", .damping, dampingSchedule),
      ("trust-region-schedule", .trustRegion, trustRegionSchedule), ("momentum-schedule", .momentum, momentumSchedule),
    ]
  }

  func validate() throws {
    for (flag, _, text) in texts {
      guard let text else { continue }
      do {
        _ = try ScheduleText.parse(text)
      } catch FisherError.invalidArgument(let what, let expected, let found) {
        throw ValidationError("--\(flag): \(what): expected \(expected), found \(found)")
      }
    }
  }

  /// As it is where no schedule was given.
  func wrap(_ optimizer: any Optimizer<Float>) throws -> any Optimizer<Float> {
    var schedules: [OptimizerNumber: any Schedule] = [:]
    for (_, number, text) in texts { schedules[number] = try text.map { try ScheduleText.parse($0) } }
    return schedules.isEmpty ? optimizer : try ScheduledOptimizer(optimizer, schedules)
  }

  var isEmpty: Bool { texts.allSatisfy { $0.text == nil } }

  /// For people.
  var summary: [String] {
    texts.compactMap { _, number, text in text.map { "\(number.rawValue) \($0)" } }
  }
}
