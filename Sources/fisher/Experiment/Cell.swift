import ArgumentParser
import FisherKit

/// One run of an experiment.
struct Cell: Hashable {
  var network: String
  var optimizer: String
  var learningRate: Double
  var seed: UInt64
  /// The flags of `fisher train` that make it: what it is known by.
  var arguments: String
}

extension ExperimentGrid {
  func cell(_ network: Network, _ optimizer: Optimizer, learningRate: Double, seed: Int) -> Cell {
    let recipe = recipe(network, optimizer)
    return Cell(
      network: network.name, optimizer: optimizer.name, learningRate: learningRate, seed: UInt64(seed),
      arguments: (recipe.isEmpty ? "" : recipe + " ") + "--learning-rate \(learningRate) --seed \(seed)")
  }

  /// The flags that all runs of a network by an optimizer have.
  func recipe(_ network: Network, _ optimizer: Optimizer) -> String {
    [flags, network.flags, optimizer.flags].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// The runs by which learning rates are chosen, seed by seed, so that all have some before any has all.
  var selectionCells: [Cell] {
    (0..<selectionSeeds).flatMap { seed in
      networks.flatMap { network in
        optimizers.flatMap { optimizer in
          optimizer.learningRates.map { cell(network, optimizer, learningRate: $0, seed: seed) }
        }
      }
    }
  }

  /// The other runs of a network and an optimizer, at the rate that was chosen.
  func chosenCells(_ network: Network, _ optimizer: Optimizer, learningRate: Double) -> [Cell] {
    (selectionSeeds..<seeds).map { cell(network, optimizer, learningRate: learningRate, seed: $0) }
  }

  /// All runs, in the order that a finished log has. A rate that is not the chosen one has no more than the selection's.
  var order: [String: Int] {
    var order: [String: Int] = [:]
    for network in networks {
      for optimizer in optimizers {
        for rate in optimizer.learningRates {
          for seed in 0..<seeds {
            order[cell(network, optimizer, learningRate: rate, seed: seed).arguments] = order.count
          }
        }
      }
    }
    return order
  }

  /// How many runs there will be, if every network and optimizer has a rate that trains.
  var runCount: Int {
    networks.count * optimizers.reduce(0) { $0 + $1.learningRates.count * selectionSeeds + seeds - selectionSeeds }
  }
}

extension Cell {
  /// The parsed flags.
  /// - Throws: ``DataError`` where they are not flags of a training run, or would take something out of the hands of the
  ///   experiment.
  func training() throws(DataError) -> Train {
    let words: [String]
    do {
      words = try splitWords(arguments)
    } catch {
      throw DataError("grid", expected: error.expected, found: error.found)
    }
    let ours = [
      "--log", "--save", "--quiet", "--profile", "--threads", "--cost-model", "--checkpoint", "--checkpoint-every",
      "--checkpoint-keep", "--resume", "--stop-early",
    ]
    for word in words {
      let flag = word.split(separator: "=").first.map(String.init) ?? word
      if ours.contains(flag) {
        throw DataError("grid", expected: "flags of fisher train but for \(flag)", found: arguments)
      }
    }
    for (flag, names) in [("--learning-rate", ["--learning-rate", "--lr"]), ("--seed", ["--seed"])] {
      let count = words.count { word in names.contains { word == $0 || word.hasPrefix($0 + "=") } }
      guard count == 1 else { throw DataError("grid", expected: "no \(flag) among its flags", found: arguments) }
    }
    do {
      let training = try Train.parse(words)
      guard training.network.loss.hasAccuracy else {
        throw DataError(
          "grid", expected: "a loss with an accuracy, which chooses the learning rates", found: "--loss squared")
      }
      return training
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError("grid", expected: "flags of fisher train", found: "\(arguments): \(Train.message(for: error))")
    }
  }
}
