import Foundation
import Testing

@testable import FisherKitTool

/// A small experiment for tests.
enum SmallExperiment {
  /// Two networks and two optimizers; 1e20 is a rate at which nothing trains.
  static let grid = """
    {"name": "small", "flags": "--data synthetic --validation 500 --batch 50 --epochs 2",
     "networks": [{"name": "a", "flags": "--shape 64,16,10"},
                  {"name": "b", "flags": "--shape 64,12,8,10 --activation tanh"}],
     "optimizers": [{"name": "SGD", "flags": "--optimizer sgd", "learning_rates": [0.1, 0.01, 1e20]},
                    {"name": "RNGD", "flags": "--optimizer rngd", "learning_rates": [0.02, 0.01]}],
     "selection_seeds": 2, "seeds": 3}
    """

  /// 2 networks × (5 rates × 2 seeds + 2 optimizers × 1 seed).
  static let runs = 24

  /// Writes the grid, and the machine's speeds so that auto plans alike every time.
  static func prepare(_ folder: Scratch) throws -> (grid: String, costs: String) {
    let (path, costs) = (folder.file("grid.json"), folder.file("costs.json"))
    try grid.write(toFile: path, atomically: true, encoding: .utf8)
    try #"{"products":1e11,"grams":1e11,"factors":5e10,"solves":3e10,"bandwidth":5e10,"call":1e-6}"#
      .write(toFile: costs, atomically: true, encoding: .utf8)
    return (path, costs)
  }

  static func records(_ path: String) throws -> [RunRecord] {
    try lines(path).dropFirst().map { try JSONDecoder().decode(RunRecord.self, from: Data($0.utf8)) }
  }

  static func lines(_ path: String) throws -> [Substring] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
  }
}

extension RunRecord {
  /// Without the times, which differ from run to run.
  var timeless: RunRecord {
    var record = self
    for i in record.epochs.indices { record.epochs[i].seconds = 0 }
    return record
  }
}
