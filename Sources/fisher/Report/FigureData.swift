import FisherKitToolSupport
import Foundation

/// The numbers behind the figures, for whoever wants to draw their own.
struct FigureData: Encodable {
  struct Network: Encodable {
    var network: String
    var optimizers: [Optimizer]
  }

  struct Optimizer: Encodable {
    var optimizer: String
    var learningRate: Double
    var runs: [Run]

    enum CodingKeys: String, CodingKey {
      case optimizer, runs
      case learningRate = "learning_rate"
    }
  }

  struct Run: Encodable {
    var seed: UInt64
    var epochs: [RunRecord.Epoch]
    var testLoss: Double?
    var testAccuracy: Double?
    var failure: String?

    enum CodingKeys: String, CodingKey {
      case seed, epochs, failure
      case testLoss = "test_loss"
      case testAccuracy = "test_accuracy"
    }
  }

  var networks: [Network]

  init(_ study: Study) {
    networks = study.networks.map { network in
      Network(
        network: network.name,
        optimizers: network.chosen.map { _, result in
          Optimizer(
            optimizer: result.optimizer, learningRate: result.selection?.learningRate ?? 0,
            runs: result.runs.map {
              Run(
                seed: $0.seed, epochs: $0.epochs, testLoss: $0.testLoss, testAccuracy: $0.testAccuracy,
                failure: $0.failure)
            })
        })
    }
  }

  /// To stand inside a script element: only strings can have a "<" that would end it, and those may be written so.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(self), as: UTF8.self).printableJSON
      .mappingScalars { $0 == "<" ? "\\u003C" : nil }
  }
}
