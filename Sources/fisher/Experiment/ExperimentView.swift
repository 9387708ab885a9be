import FisherKit
import FisherKitToolSupport
import Foundation

/// What an experiment tells its user: a line for each finished run, and where the output is a terminal a line below
/// with how far it is.
struct ExperimentView {
  let isQuiet: Bool
  private let hasStatus = Standard.canRedraw

  func say(_ line: String) {
    guard !isQuiet else { return }
    if hasStatus { Standard.clearLine() }
    Standard.print(line.visible(keeping: []) + "\n")
  }

  func show(_ record: RunRecord, done: Int, of count: Int, remaining: Double) {
    let result =
      record.failure.map { "failed: \($0)" }
      ?? String(
        format: "train loss %.4f, validation %.2f%%", record.epochs.last?.trainLoss ?? .nan,
        100 * (record.finalValidationAccuracy ?? .nan))
    let place = "\(done)/\(count)"
    let left = done < count ? "about \(Self.time(remaining)) left" : ""
    let run = "\(record.network)  \(record.optimizer)  \(record.learningRate)  seed \(record.seed)  \(result)"
    say(hasStatus || left.isEmpty ? "\(place)  \(run)" : "\(place)  \(run)  (\(left))")
    guard hasStatus, !isQuiet, !left.isEmpty else { return }
    Standard.print("\(place) runs, \(left)")
  }

  static func time(_ seconds: Double) -> String {
    if seconds < 1 { return "a second" }
    let whole = Int(min(max(0, seconds), 1e9).rounded())
    if whole < 100 { return "\(whole) s" }
    return whole < 6000 ? "\((whole + 30) / 60) min" : fixed(Double(whole) / 3600, 1) + " h"
  }
}
