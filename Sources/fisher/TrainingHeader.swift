import FisherKit
import Foundation

/// The first line of a training run's log: the command that made it, and on what.
struct TrainingHeader: Codable, Equatable {
  static let kind = "training"

  var kind = TrainingHeader.kind
  /// The command line, and the version of FisherKit.
  var command: String
  var version: String
  var seed: UInt64
  /// At the start.
  var learningRate: Double
  /// None in logs of before there were several: softmax.
  var loss: String?
  var threads: Int
  var machine: ExperimentHeader.Machine

  enum CodingKeys: String, CodingKey {
    case kind, command, version, seed, loss, threads, machine
    case learningRate = "learning_rate"
  }

  /// Of a run of this process.
  init(seed: UInt64, learningRate: Double, loss: LossName) {
    command = commandText()
    version = FisherKitVersion.current
    self.seed = seed
    self.learningRate = learningRate
    self.loss = loss.rawValue
    threads = Compute.threads
    machine = .current(cores: ProcessInfo.processInfo.activeProcessorCount)
  }
}
