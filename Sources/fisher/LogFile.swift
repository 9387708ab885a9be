import FisherKit
import FisherKitToolSupport
import Foundation

/// The file of `--log`. It takes its name when the run is done, or is interrupted and there is no older file: FILE is never
/// half a run, and a run that fails leaves an older FILE alone.
final class LogFile {
  private let path: String
  private let file: WholeFile

  init(path: String) throws {
    self.path = path
    file = try OptionError.naming("--log") { () throws(OutputError) in
      try ExperimentLog.requireNone(at: path)
      return try WholeFile(path: path, keepsPart: true)
    }
  }

  func write(_ lines: String) throws {
    try OptionError.naming("--log") { () throws(OutputError) in try file.write(lines) }
  }

  func finish() throws {
    try OptionError.naming("--log") { () throws(OutputError) in
      // (an experiment may have begun one meanwhile)
      try ExperimentLog.requireNone(at: path)
      try file.finish()
    }
  }

  /// Ends the log of a run that was interrupted.
  /// - Parameter what: such as "the log of 3 epochs".
  /// - Returns: where it is.
  func keep(_ what: String) throws -> String {
    if access(path, F_OK) != 0 {
      try finish()
      return "\(what) is \(path)"
    }
    return "\(what) is \(file.writtenPath), and \(path) is the older one"
  }

  func discard() { file.discard() }

  /// Ends the log of a run that failed: what was written stays beside its name.
  func abandon() { file.abandon() }
}
