import FisherKit
import FisherKitToolSupport
import Foundation

/// The first line of a tuner's log: what was asked for, by which command, and on what.
struct TuneHeader: Codable, Equatable {
  var kind = "tune"
  var command: String
  var version: String
  var seed: UInt64
  var budget: Double
  var objective: String
  var tuned: [String]
  /// The flags that all trials share.
  var arguments: String
  var threads: Int
  var machine: ExperimentHeader.Machine
}

/// What the range test came to.
struct TuneRange: Codable, Equatable {
  var kind = "range"
  var seconds: Double
  var rates: [Double]
  var losses: [Double]
  var ended: String?
  /// Between which learning rates are drawn.
  var low: Double
  var high: Double
  /// Whether these are about the default, because the loss did not fall.
  var isAboutTheDefault: Bool

  enum CodingKeys: String, CodingKey {
    case kind, seconds, rates, losses, ended, low, high
    case isAboutTheDefault = "about_the_default"
  }
}

/// Where a trial was at the end of a rung, from 1.
struct TuneRecord: Codable, Equatable {
  var kind = "trial"
  var rung: Int
  /// From 0, the defaults.
  var trial: Int
  var settings: TuneSettings
  var arguments: String
  /// Of training, and steps in them.
  var seconds: Double
  var steps: Int
  var loss: Double?
  /// When it came to the loss that was asked for.
  var reachedAt: Double?
  var failure: String?

  enum CodingKeys: String, CodingKey {
    case kind, rung, trial, settings, arguments, seconds, steps, loss, failure
    case reachedAt = "reached_at"
  }
}

/// Who goes on from a rung.
struct TuneSurvivors: Codable, Equatable {
  var kind = "rung"
  var rung: Int
  /// Seconds of training of each of its trials.
  var seconds: Double
  var survivors: [Int]
}

/// The last line: what was chosen, and what that gained.
struct TuneChoice: Codable, Equatable {
  var kind = "choice"
  var trial: Int
  var settings: TuneSettings
  /// Whole, as `fisher train` takes them.
  var arguments: String
  var seconds: Double?
  var seed: UInt64
  var loss: Double?
  var defaultsLoss: Double?
  var reachedAt: Double?
  var defaultsReachedAt: Double?
  /// All of the budget that was taken.
  var elapsed: Double
  var text: String

  enum CodingKeys: String, CodingKey {
    case kind, trial, settings, arguments, seconds, seed, loss, elapsed, text
    case defaultsLoss = "defaults_loss"
    case reachedAt = "reached_at"
    case defaultsReachedAt = "defaults_reached_at"
  }
}

/// The lines of a tuner's run.
final class TuneLog {
  private let file: LogFile
  private var trials = 0

  init(path: String) throws { file = try LogFile(path: path) }

  func write(_ value: some Encodable) throws {
    let line = try jsonLine(value) + "\n"
    if value is TuneRecord { trials += 1 }
    try file.write(line)
  }

  func finish() throws { try file.finish() }

  /// Ends the log of a run that was interrupted.
  /// - Returns: where it is.
  func keep() throws -> String {
    if trials > 0 { return try file.keep("the log") }
    file.discard()
    return "no trial was done, and there is no log"
  }

  /// Ends the log of a run that failed: what trials came to stays.
  func abandon() {
    if trials > 0 { file.abandon() } else { file.discard() }
  }
}
