import FisherKit
import Foundation

/// A log of `fisher train --log`: one run, which does not say what made it.
struct TrainingLog {
  static let network = "training log"

  private let path: String
  private let epochs: [RunRecord.Epoch]
  private let test: Test

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

  /// The command writes its log whole or not at all: one that lacks its last line, or the end of it, is torn.
  init(_ lines: LogLines, path: String) throws(DataError) {
    self.path = path
    if let unfinished = lines.unfinished {
      let line = LogLine(path: path, number: lines.complete.count + 1, bytes: unfinished)
      throw line.error(expected: "a line with its end", found: "one that is torn")
    }
    var epochs: [RunRecord.Epoch] = []
    for line in lines.complete.dropLast() {
      let epoch = try line.decode(RunRecord.Epoch.self, expected: "an epoch of a training log")
      guard epoch.epoch == epochs.count + 1 else {
        throw line.error(expected: "epoch \(epochs.count + 1)", found: "\(epoch.epoch)")
      }
      epochs.append(epoch)
    }
    guard let last = lines.complete.last, !epochs.isEmpty else {
      throw DataError(path, expected: "epochs and a last line with test_loss", found: "less")
    }
    test = try last.decode(Test.self, expected: "the last line of a training log")
    self.epochs = epochs
  }

  /// Its rate and seed are not known; 0 stands for both.
  func record(name: String) -> RunRecord {
    RunRecord(
      network: Self.network, optimizer: name, learningRate: 0, seed: 0, arguments: path, version: "", threads: 0,
      level: "", epochs: epochs, testLoss: test.loss, testAccuracy: test.accuracy, memoryBytes: test.memory,
      dampingEvents: 0, divergences: [], effectiveDimensions: [], failure: nil)
  }

  /// The files' names without what follows the last dot; the whole path where two would be called the same.
  static func names(of paths: [String]) -> [String] {
    let paths = paths.map { ($0, URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent) }
    let different = Dictionary(grouping: paths, by: \.1).mapValues { Set($0.map(\.0)).count }
    return paths.map { different[$1] == 1 ? $1 : $0 }
  }
}
