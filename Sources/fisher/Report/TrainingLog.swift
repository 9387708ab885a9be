import FisherKit
import Foundation

/// A log of `fisher train --log`: one run, which does not say what made it.
struct TrainingLog {
  static let network = "training log"

  private let path: String
  private let epochs: [RunRecord.Epoch]
  /// None where the run was interrupted.
  private let test: Test?

  private struct Kind: Decodable { var epoch: Int? }

  private struct Test: Decodable {
    var loss: Double
    var accuracy: Double
    var memory: Int

    enum CodingKeys: String, CodingKey {
      case loss = "test_loss"
      case accuracy = "test_accuracy"
      case memory = "peak_memory_bytes"
    }
  }

  /// An interrupted run's log has whole epochs and no last line; one that ends within a line is torn.
  init(_ lines: LogLines, path: String) throws(DataError) {
    self.path = path
    if let unfinished = lines.unfinished {
      let line = LogLine(path: path, number: lines.complete.count + 1, bytes: unfinished)
      throw line.error(expected: "a line with its end", found: "one that is torn")
    }
    var epochs: [RunRecord.Epoch] = []
    let last = try lines.complete.last.flatMap { line throws(DataError) in
      try line.decode(Kind.self, expected: "a line of a training log").epoch == nil ? line : nil
    }
    for line in last == nil ? lines.complete[...] : lines.complete.dropLast() {
      let epoch = try line.decode(RunRecord.Epoch.self, expected: "an epoch of a training log")
      guard epoch.epoch == epochs.count + 1 else {
        throw line.error(expected: "epoch \(epochs.count + 1)", found: "\(epoch.epoch)")
      }
      epochs.append(epoch)
    }
    guard !epochs.isEmpty else { throw DataError(path, expected: "at least one epoch", found: "none") }
    test = try last.map { line throws(DataError) in
      try line.decode(Test.self, expected: "the last line of a training log")
    }
    self.epochs = epochs
  }

  /// Its rate and seed are not known; 0 stands for both.
  func record(name: String) -> RunRecord {
    RunRecord(
      network: Self.network, optimizer: name, learningRate: 0, seed: 0, arguments: path, version: "", threads: 0,
      level: "", epochs: epochs, testLoss: test?.loss, testAccuracy: test?.accuracy, memoryBytes: test?.memory ?? 0,
      dampingEvents: 0, divergences: [], effectiveDimensions: [],
      failure: test == nil ? "interrupted after \(epochs.count) epochs, before its test" : nil)
  }

  /// The files' names without what follows the last dot; the whole path where two would be called the same.
  static func names(of paths: [String]) -> [String] {
    let paths = paths.map { ($0, URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent) }
    let different = Dictionary(grouping: paths, by: \.1).mapValues { Set($0.map(\.0)).count }
    return paths.map { different[$1] == 1 ? $1 : $0 }
  }
}
