import FisherKit
import Foundation

/// The data sets of an experiment, read once each. Synthetic ones, which follow the seed, are made anew for each run.
final class ExperimentData: @unchecked Sendable {
  // (guarded by the lock)
  private var loaded: [String: DataSplit] = [:]
  private let lock = NSLock()

  func load(for training: Train) throws -> DataSplit {
    let seed = training.schedule.seed
    if training.network.data == SyntheticData.name { return try training.network.loadData(seed: seed) }
    let key = "\(training.network.data) \(training.network.validation ?? 0)"
    return try lock.withLock {
      if let data = loaded[key] { return data }
      let data = try training.network.loadData(seed: seed)
      loaded[key] = data
      return data
    }
  }
}
