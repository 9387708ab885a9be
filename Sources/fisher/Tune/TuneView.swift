import FisherKit
import FisherKitToolSupport

/// What a tuner tells its user: a line for each trial and rung, and where the output is a terminal a line below with what it
/// is at.
final class TuneView {
  private let isQuiet: Bool
  private let flags: TuneFlags
  private let hasStatus = Standard.canRedraw
  private var lastStatus = ContinuousClock.now
  private var rung = ""

  init(isQuiet: Bool, flags: TuneFlags) { (self.isQuiet, self.flags) = (isQuiet, flags) }

  private func say(_ line: String, blank: Bool = false) {
    guard !isQuiet else { return }
    if hasStatus { Standard.clearLine() }
    Standard.print(line.visible(keeping: []) + (blank ? "\n\n" : "\n"))
  }

  func begin(budget: Double, objective: TuneObjective, seed: UInt64, data: DataSplit) {
    say(
      "data       \(data.name), \(data.training.count) training samples, \(data.validation.count) for validation")
    say("shared     \(flags.words.isEmpty ? "the defaults of fisher train" : flags.words.joined(separator: " "))")
    say(
      "tuning     \(flags.quantities.map(\.rawValue).joined(separator: ", ")), by \(objective.words), in "
        + "\(short(budget)) s, seed \(seed)")
    say("computing  \(Compute.threads) threads, \(Compute.level)")
  }

  func show(_ range: TuneRange) {
    let last = range.rates.last.map { short($0, 2) } ?? "none"
    let first = range.rates.first.map { short($0, 2) } ?? "none"
    say(
      "range      rates from \(first) to \(last)\(range.ended.map { ", where it ended: \($0)" } ?? ""), in "
        + "\(fixed(range.seconds, 2)) s")
    say(
      "           drawing from \(short(range.low)) to \(short(range.high))"
        + (range.isAboutTheDefault ? ", about the default: the loss did not fall by more than its noise" : ""))
  }

  func show(halving: Halving) {
    say(
      "trials     \(halving.rungs.map(String.init).joined(separator: ", then ")), the first by the defaults",
      blank: true)
    say("rung trial  seconds   steps      loss  settings")
  }

  func beginRung(_ number: Int) { rung = "rung \(number + 1)" }

  func show(_ rung: Halving.Rung<Trial>) {
    for standing in rung.standings {
      let (trial, score) = (standing.trial, standing.outcome.score)
      let settings = flags.text(of: trial.settings)
      let text =
        switch standing.outcome {
        case .scored(let score):
          pad(Text.number(score.loss), 9) + "  " + settings
            + (score.reachedAt.map { ", there after \(fixed($0, 3)) s" } ?? "")
        case .failed(let reason): "\(pad("out", 9))  \(settings): \(reason)"
        case .unfinished: "\(pad("-", 9))  \(settings): the time was over"
        }
      say(
        "\(pad("\(rung.number + 1)", 4)) \(pad("\(trial.number)", 5)) "
          + "\(pad(fixed(score?.seconds ?? trial.seconds, 3), 8)) \(pad("\(score?.steps ?? trial.steps)", 7)) \(text)")
    }
    let survivors = rung.standings.prefix(rung.kept).map { "\($0.trial.number)" }
    say(
      survivors.count == 1
        ? "     trial \(survivors[0]) is ahead" : "     \(survivors.count) go on: \(survivors.joined(separator: ", "))",
      blank: true)
  }

  func beginComparison(seed: UInt64) { rung = "comparison, seed \(seed)" }

  func show(progress trial: Trial) {
    guard hasStatus, !isQuiet, ContinuousClock.now - lastStatus > .milliseconds(100) else { return }
    lastStatus = .now
    Standard.clearLine()
    Standard.print("\(rung), trial \(trial.number): \(fixed(trial.seconds, 2)) s of training")
  }

  func end(_ choice: TuneChoice, flags: TuneFlags) {
    say(choice.text)
    say(
      "chosen     " + (choice.trial == 0 ? "the defaults" : "trial \(choice.trial): \(flags.text(of: choice.settings))")
    )
    say("budget     \(fixed(choice.elapsed, 2)) s of it were taken", blank: true)
    say((["fisher", "train"] + flags.all(choice.settings).map(quotedWord)).joined(separator: " "))
  }
}
