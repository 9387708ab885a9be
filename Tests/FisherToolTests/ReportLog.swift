import FisherKit
import Foundation

@testable import FisherKitTool

/// A small experiment whose curves follow a formula: two networks, three optimizers, two rates, three seeds, and a run
/// that failed.
enum ReportLog {
  static let epochs = 8

  static var header: ExperimentHeader {
    let optimizers = [("RNGD", "rngd"), ("Adam <b> & \"co\"", "adam"), ("SGD", "sgd")].map {
      ExperimentGrid.Optimizer(name: $0, flags: "--optimizer \($1)", learningRates: [0.01, 0.1])
    }
    return ExperimentHeader(
      grid: ExperimentGrid(
        name: "small", flags: "--epochs \(epochs)",
        networks: [.init(name: "plain", flags: ""), .init(name: "gated | </script>", flags: "--activation tanh")],
        optimizers: optimizers, selectionSeeds: 3, seeds: 3, losses: [0.4, 0.3]),
      command: "fisher experiment small.json --log small.jsonl", version: "1.2.3",
      machine: .init(system: "Linux", processor: "A processor", cores: 8, level: "avx2"), jobs: 2, threads: 4,
      costs: MachineCosts(products: 1e9, grams: 1e9, factors: 1e9, solves: 1e9, bandwidth: 1e9, call: 1e-6))
  }

  static var runs: [RunRecord] {
    header.grid.networks.enumerated().flatMap { n, network in
      header.grid.optimizers.enumerated().flatMap { o, optimizer in
        optimizer.learningRates.flatMap { rate in
          (0..<3).map { seed in
            run(header.grid.cell(network, optimizer, learningRate: rate, seed: seed), n, o)
          }
        }
      }
    }
  }

  private static func run(_ cell: Cell, _ n: Int, _ o: Int) -> RunRecord {
    let (rate, seed) = (cell.learningRate, Int(cell.seed))
    let fails = n == 1 && o == 2 && seed == 1
    let isNatural = o == 0
    let noise = Double((seed * 7 + o * 3 + n) % 5) / 100
    let all = (1...(fails ? 2 : epochs)).map { epoch in
      let e = Double(epoch)
      let loss = 0.2 + 0.05 * Double(o) + 0.4 / (e * (rate < 0.05 ? 1.5 : 1)) + noise
      return RunRecord.Epoch(
        epoch: epoch, step: 200 * epoch, seconds: e * (isNatural ? 2.5 : 1) * (1 + noise), trainLoss: loss,
        trainError: loss / 3, validationLoss: loss + 0.1, validationAccuracy: 1 - loss / 2.5)
    }
    let last = all[all.count - 1]
    return RunRecord(
      network: cell.network, optimizer: cell.optimizer, learningRate: rate, seed: cell.seed, arguments: cell.arguments,
      version: "1.2.3", threads: 4, level: "avx2", epochs: all, testLoss: fails ? nil : last.validationLoss,
      testAccuracy: fails ? nil : (last.validationAccuracy ?? 0) - 0.01 + noise / 3, memoryBytes: 12_300_000 + 1000 * o,
      dampingEvents: isNatural ? seed : 0,
      divergences: isNatural
        ? all.map { epoch in
          .init(
            epoch: epoch.epoch,
            layers: [
              .init(name: "layer 1", predicted: 0.01, measured: 0.01 * (1 + noise)),
              .init(name: "layer 2", predicted: 0.02, measured: 0.03),
            ])
        } : [],
      effectiveDimensions: isNatural ? [.init(name: "layer 1", order: 65, dimension: 30 + Double(seed))] : [],
      failure: fails ? "step 437: expected a finite loss, found NaN; \"so, it ended\"" : nil)
  }

  static func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  static func text() throws -> String { try line(header) + runs.map { try line($0) }.joined() }

  /// Writes it into the folder.
  static func write(_ folder: Scratch) throws -> String {
    let path = folder.file("small.jsonl")
    try text().write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}
