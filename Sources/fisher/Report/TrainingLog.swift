import FisherKit
import Foundation

/// A log of `fisher train --log`: one run. One that was interrupted has no last line; other tools' logs have no first one.
struct TrainingLog {
  static let network = "training log"

  private let path: String
  private var header: TrainingHeader?
  private var epochs: [RunRecord.Epoch] = []
  private var test: Test?
  private(set) var events: RunEvents
  /// What is missing, to be told.
  private(set) var warnings: [String] = []

  private struct Test: Decodable {
    var loss: Double
    var accuracy: Double?
    var memory: Int

    enum CodingKeys: String, CodingKey {
      case loss = "test_loss"
      case accuracy = "test_accuracy"
      case memory = "peak_memory_bytes"
    }
  }

  init(_ lines: LogLines, path: String, name: String) throws(DataError) {
    self.path = path
    events = RunEvents(run: name)
    for line in lines.complete { try read(line) }
    guard !epochs.isEmpty else {
      throw DataError(path, expected: "epochs and a last line with test_loss", found: "less")
    }
    if let unfinished = lines.unfinished { warnings.append(unfinished.leftOut) }
    if test == nil {
      warnings.append("\(path): expected a last line with test_loss, found none: the run was interrupted")
    }
  }

  private mutating func read(_ line: LogLine) throws(DataError) {
    let kind = try line.decode(LineKind.self, expected: "an epoch of a training log")
    if kind.kind == TrainingHeader.kind {
      guard header == nil, epochs.isEmpty, events.kinds.isEmpty else {
        throw line.error(
          expected: "the line that begins a training log at its start", found: "it again (a log has one run)")
      }
      header = try line.decode(TrainingHeader.self, expected: "the first line of a training log")
      return
    }
    if kind.hasEvent {
      return events.add(try line.decode(RunEvents.Line.self, expected: "an event of a training log"))
    }
    guard test == nil else {
      throw line.error(expected: "nothing behind the last line of a run", found: "more (a log has one run)")
    }
    // (a loss within an epoch)
    if kind.isPoint { return }
    if !epochs.isEmpty, kind.epoch == nil {
      let test = try line.decode(Test.self, expected: "an epoch, or the last line of a training log")
      guard (test.accuracy != nil) == hasAccuracy else {
        throw line.error(
          expected: "the last line of a training log",
          found: hasAccuracy ? "none of its \"test_accuracy\"" : "\"test_accuracy\" behind epochs without one")
      }
      self.test = test
      return
    }
    let epoch = try line.decode(RunRecord.Epoch.self, expected: "an epoch of a training log")
    guard epoch.epoch == epochs.count + 1 else {
      throw line.error(expected: "epoch \(epochs.count + 1)", found: "\(epoch.epoch)")
    }
    let accuracies = [epoch.trainError, epoch.validationAccuracy]
    guard accuracies.allSatisfy({ ($0 != nil) == (epochs.isEmpty ? epoch.trainError != nil : hasAccuracy) }) else {
      throw line.error(
        expected: "\"train_error\" and \"validation_accuracy\" in all epochs, or in none", found: "some of them")
    }
    guard epoch.isPossible else { throw line.error(expected: "counts that can be", found: "others") }
    epochs.append(epoch)
  }

  /// Whether its loss has right and wrong, by the first epoch.
  private var hasAccuracy: Bool { epochs.first?.trainError != nil }

  /// The loss, where it is known.
  var loss: String? { header.map { $0.loss ?? LossName.softmax.rawValue } }

  /// Without a first line its rate and seed are not known; 0 stands for both, and for the memory where the last line is
  /// missing.
  var record: RunRecord {
    RunRecord(
      network: Self.network, optimizer: events.run, learningRate: header?.learningRate ?? 0, seed: header?.seed ?? 0,
      arguments: header?.command ?? path, version: header?.version ?? "", threads: header?.threads ?? 0,
      level: header?.machine.level ?? "", epochs: epochs, testLoss: test?.loss, testAccuracy: test?.accuracy,
      memoryBytes: test?.memory ?? 0,
      dampingEvents: events.kinds.reduce(0) { $0 + ($1.name == RunEvents.stoppedEarly ? 0 : $1.count) },
      divergences: [], effectiveDimensions: [], failure: nil)
  }

  /// The files' names without what follows the last dot; the whole path where two would be called the same.
  static func names(of paths: [String]) -> [String] {
    let paths = paths.map { ($0, URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent) }
    let different = Dictionary(grouping: paths, by: \.1).mapValues { Set($0.map(\.0)).count }
    return paths.map { different[$1] == 1 ? $1 : $0 }
  }
}

/// What tells the lines of logs from each other.
struct LineKind: Decodable {
  var kind: String?
  var epoch: Int?
  var hasEvent: Bool
  /// A line of --evaluate-every.
  var isPoint: Bool

  enum CodingKeys: String, CodingKey {
    case kind, epoch, event, step
    case testLoss = "test_loss"
  }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    hasEvent = members.contains(.event)
    kind = hasEvent ? nil : try members.decodeIfPresent(String.self, forKey: .kind)
    isPoint = members.contains(.step) && !members.contains(.epoch) && !members.contains(.testLoss) && !hasEvent
    epoch = hasEvent ? nil : try members.decodeIfPresent(Int.self, forKey: .epoch)
  }
}

extension LogLine {
  /// That the line is torn.
  var leftOut: String { "\(place): expected a line that is finished, found one that is not; left out" }
}

extension RunRecord.Epoch {
  /// Whether its counts are such that something can be done with them.
  var isPossible: Bool {
    [epoch, step].allSatisfy((0...RunRecord.largestCount).contains)
      && (bound ?? [:]).values.allSatisfy((0...1).contains)
  }
}

extension RunRecord {
  static let largestCount = 1_000_000_000_000
}
