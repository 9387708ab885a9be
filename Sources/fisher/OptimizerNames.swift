import ArgumentParser
import FisherKit

enum OptimizerName: String, CaseIterable, ExpressibleByArgument {
  case rngd, sgd, momentum, adam, adamw, muon

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }

  func usualLearningRate(batch: Int) -> Double {
    switch self {
    case .rngd: RNGD<Float>.usualLearningRate(batchSize: batch)
    case .momentum: Momentum<Float>.usualLearningRate
    case .sgd: SGD<Float>.usualLearningRate
    case .adam, .adamw: Adam<Float>.usualLearningRate
    case .muon: Muon<Float>.usualLearningRate
    }
  }

  /// As help has them.
  static var usualLearningRates: String {
    let batch = RunOptions.usualBatch
    return allCases.map { name in
      let rate = short(name.usualLearningRate(batch: batch))
      return name == .rngd ? "\(name) by the batch, \(rate) for \(batch)" : "\(name) \(rate)"
    }.joined(separator: ", ")
  }
}

enum DampingRule: String, CaseIterable, ExpressibleByArgument {
  case absolute, relative, norm, adaptive
  case adaptiveRelative = "adaptive-relative"
  case adaptiveNorm = "adaptive-norm"

  var unit: Damping.Unit {
    switch self {
    case .absolute, .adaptive: .absolute
    case .relative, .adaptiveRelative: .relative
    case .norm, .adaptiveNorm: .norm
    }
  }

  var isAdaptive: Bool {
    switch self {
    case .absolute, .relative, .norm: false
    case .adaptive, .adaptiveRelative, .adaptiveNorm: true
    }
  }
}

enum MetricName: String, CaseIterable, ExpressibleByArgument {
  case auto, exact, projected, kernel, kronecker, iterative, diagonal, shared, average, paper
  case quasiDiagonal = "quasi-diagonal"

  /// Whether `--window-samples` means something to it.
  var hasWindow: Bool {
    switch self {
    case .auto, .exact, .projected, .kernel, .kronecker, .iterative, .diagonal, .quasiDiagonal, .shared, .average: true
    case .paper: false
    }
  }
}

/// A rank, or the share of the effective dimension that decides on it.
struct RankChoice: ExpressibleByArgument {
  let rank: ProjectedMetric.Rank
  /// Of a share.
  static let most = 128

  var fixed: Int? {
    if case .fixed(let number) = rank { number } else { nil }
  }

  init?(argument: String) {
    if let number = Int(argument) {
      rank = .fixed(number)
    } else if let share = Double(argument) {
      rank = .share(share, atMost: Self.most)
    } else {
      return nil
    }
  }
}
