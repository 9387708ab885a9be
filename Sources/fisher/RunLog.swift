import FisherKit
import FisherKitToolSupport
import Foundation

/// The JSON lines of a run.
final class RunLog {
  private let file: LogFile
  private var epochs = 0

  init(path: String) throws { file = try LogFile(path: path) }

  /// The lines of the epochs that were done before, with the first line of all.
  func begin(_ lines: String, epochs: Int) throws {
    try file.write(lines)
    self.epochs = epochs
  }

  func record(_ event: TrainingEvent) throws {
    if case .epoch(let report) = event { epochs = report.epoch }
    if let line = Self.line(of: event) { try file.write(line) }
  }

  /// With its end; `nil` of what a log says nothing of.
  static func line(of event: TrainingEvent) -> String? {
    switch event {
    case .epoch(let report):
      """
      {"epoch":\(report.epoch),"step":\(report.step),"seconds":\(report.seconds),\
      "train_loss":\(report.training.loss)\(member("train_error", report.training.error)),\
      "validation_loss":\(report.validation.loss)\(member("validation_accuracy", report.validation.accuracy))\
      \(bounds(of: report))}

      """
    case .evaluated(let step, let seconds, let training):
      #"{"step":\#(step),"seconds":\#(seconds),"train_loss":\#(training.loss)}"# + "\n"
    case .finished(let test):
      """
      {"test_loss":\(test.loss)\(member("test_accuracy", test.accuracy)),"peak_memory_bytes":\(peakMemoryBytes())}

      """
    case .survived(let incident): line(of: incident) + "\n"
    case .stoppedEarly(let epoch, let best):
      #"{"event":"\#(RunEvents.stoppedEarly)","epoch":\#(epoch),"best_epoch":\#(best)}"# + "\n"
    case .began, .step: nil
    }
  }

  /// What a loss that has no right and wrong leaves out.
  private static func member(_ name: String, _ value: Double?) -> String { value.map { ",\"\(name)\":\($0)" } ?? "" }

  /// Such as {"event":"raised damping","step":12,"layer":"layer 2","neuron":3,"damping":0.05}.
  private static func line(of incident: Incident) -> String {
    var members = ["\"event\":\(quoted(incident.remedy.rawValue))", "\"step\":\(incident.step)"]
    members.append("\"layer\":\(quoted(incident.layer))")
    if let neuron = incident.neuron { members.append("\"neuron\":\(neuron)") }
    if let damping = incident.damping { members.append("\"damping\":\(damping)") }
    if let rate = incident.learningRate { members.append("\"learning_rate\":\(rate)") }
    return "{\(members.joined(separator: ","))}"
  }

  /// Such as ,"bound":{"layer 1":0.25}: the share of steps that the trust region made shorter.
  private static func bounds(of report: EpochReport) -> String {
    guard !report.bounds.isEmpty else { return "" }
    return ",\"bound\":{\(report.bounds.map { "\(quoted($0.name)):\($0.share)" }.joined(separator: ","))}"
  }

  private static func quoted(_ text: String) -> String {
    (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  func finish() throws { try file.finish() }

  /// Ends the log of a run that was interrupted. Its epochs take the log's name, unless that would cost an older log.
  /// - Returns: where they are.
  func keep() throws -> String {
    if epochs > 0 { return try file.keep("the log of \(epochs) epochs") }
    file.discard()
    return "no epoch was done, and there is no log"
  }

  /// Ends the log of a run that failed.
  func abandon() { file.abandon() }
}

/// The memory that this process holds now, or 0 where that is not known.
func residentBytes() -> Int {
  guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
  let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// The most memory that this process has held.
func peakMemoryBytes() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #endif
}
