import FisherKit
import Foundation

/// The data sets of an experiment, read once each. Synthetic ones, which follow the seed, are made anew for each run.
final class ExperimentData: @unchecked Sendable {
  // (guarded by the lock)
  private var loaded: [String: DataSplit] = [:]
  private let lock = NSLock()

  func load(for training: Train) throws -> DataSplit {
    let seed = training.schedule.seed
    if training.network.source.data == SyntheticData.name { return try training.network.source.load(seed: seed) }
    let key = "\(training.network.source.data) \(training.network.source.validation ?? 0)"
    return try lock.withLock {
      if let data = loaded[key] { return data }
      let data = try training.network.source.load(seed: seed)
      loaded[key] = data
      return data
    }
  }
}
