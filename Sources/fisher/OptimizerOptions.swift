import ArgumentParser
import FisherKit

/// The optimizer and its settings.
struct OptimizerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("\(OptimizerName.all).", valueName: "name")) var optimizer = OptimizerName.rngd
  @Option(
    help: ArgumentHelp(
      "How rngd holds its Fisher matrices (default: exact). exact: one per neuron. projected: one per neuron in a "
        + "subspace of the inputs. shared: one per layer. paper: the running averages of the paper's experiment.",
      valueName: "name"))
  var metric: MetricName?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Rank of the projected metric's subspace (default: 64), or as a share such as 0.9 what it must keep of the "
        + "effective dimension, with at most 128.", valueName: "R"))
  var rank: RankChoice?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The most samples that a refresh is made of (default: projected 1000, others 8192).", valueName: "N"))
  var windowSamples: Int?
  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp("γ (default: rngd 0.01, sgd 0.1, momentum 0.01, adam 0.0005).", valueName: "γ"))
  var learningRate: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "λ, added to the diagonal of rngd's matrices (default: 0.005, with --pair 0.02).", valueName: "λ"))
  var damping: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps between two refreshes of rngd's matrices (default: 100).", valueName: "T"))
  var refresh: Int?
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Layers N and N+1, from 1, are one subsystem: N's weights are measured by what N+1 puts out. May be repeated.",
      valueName: "N"))
  var pair: [Int] = []
  @Option(parsing: .unconditional, help: "Coupled L2, ½·l2·‖W‖² on weights, not on biases.") var l2 = 1e-3

  func validate() throws {
    guard l2 >= 0, l2 <= 1e30 else { throw ValidationError("--l2: expected a number from 0 to 1e30, found \(l2)") }
    if let learningRate, !(learningRate >= 1e-30 && learningRate <= 1e30) {
      throw ValidationError("--learning-rate: expected a number from 1e-30 to 1e30, found \(learningRate)")
    }
    if let damping, !(damping >= 0 && damping <= 1e30) {
      throw ValidationError("--damping: expected a number from 0 to 1e30, found \(damping)")
    }
    if let refresh, refresh < 1 { throw ValidationError("--refresh: expected 1 or more steps, found \(refresh)") }
    if optimizer != .rngd {
      for (flag, isGiven) in [
        ("metric", metric != nil), ("damping", damping != nil), ("refresh", refresh != nil), ("pair", !pair.isEmpty),
        ("rank", rank != nil), ("window-samples", windowSamples != nil),
      ] where isGiven {
        throw ValidationError("--\(flag): expected --optimizer rngd, found \(optimizer)")
      }
    }
    if rank != nil, metric != .projected {
      throw ValidationError("--rank: expected --metric projected, found \((metric ?? .exact).rawValue)")
    }
    if let windowSamples, !(1...100_000_000).contains(windowSamples) {
      throw ValidationError("--window-samples: expected 1 to 100000000, found \(windowSamples)")
    }
    if windowSamples != nil, metric == .paper {
      throw ValidationError("--window-samples: expected a metric with a window, found paper, which has an average")
    }
    if let layer = pair.first(where: { $0 < 1 }) {
      throw ValidationError("--pair: expected a layer from 1 up, found \(layer)")
    }
    if !pair.isEmpty, !makeMetric().takesPairs {
      throw ValidationError("--pair: expected --metric exact or projected, found \((metric ?? .exact).rawValue)")
    }
    if let metric, !metric.isAvailable {
      throw ValidationError(
        "--metric: expected one that this version has (\(MetricName.allValueStrings.joined(separator: ", "))), found \(metric.rawValue)"
      )
    }
  }

  /// The matrices of pairs are smaller than those of single layers, and want a larger λ.
  var usualDamping: Double { damping ?? (pair.isEmpty ? 0.005 : 0.02) }
  var rate: Double { learningRate ?? optimizer.usualLearningRate }

  private func makeMetric() -> any Metric {
    switch metric ?? .exact {
    case .shared: SharedMetric(windowSamples: windowSamples ?? 8192)
    case .paper: PaperMetric()
    case .projected: ProjectedMetric(rank: rank?.rank ?? .fixed(64), windowSamples: windowSamples ?? 1000)
    default: ExactMetric(windowSamples: windowSamples ?? 8192)
    }
  }

  func make() throws(FisherError) -> any Optimizer<Float> {
    switch optimizer {
    case .sgd: try SGD(learningRate: rate, l2: l2)
    case .momentum: try Momentum(learningRate: rate, l2: l2)
    case .adam: try Adam(learningRate: rate, l2: l2)
    case .rngd:
      try RNGD(
        metric: makeMetric(), learningRate: rate, damping: usualDamping,
        refreshInterval: refresh ?? 100, l2: l2)
    }
  }
}

enum OptimizerName: String, CaseIterable, ExpressibleByArgument {
  case rngd, sgd, momentum, adam

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }

  var usualLearningRate: Double {
    switch self {
    case .rngd, .momentum: 0.01
    case .sgd: 0.1
    case .adam: 5e-4
    }
  }
}

enum MetricName: String, CaseIterable, ExpressibleByArgument {
  case exact, projected, shared, paper
  /// Known by name, and refused by name.
  case auto, kernel

  /// What the help lists.
  static var allValueStrings: [String] { allCases.filter(\.isAvailable).map(\.rawValue) }

  var isAvailable: Bool {
    switch self {
    case .exact, .projected, .shared, .paper: true
    case .auto, .kernel: false
    }
  }
}

/// A rank, or the share of the effective dimension that decides on it.
struct RankChoice: ExpressibleByArgument {
  let rank: ProjectedMetric.Rank

  init?(argument: String) {
    if let number = Int(argument), (1...100_000).contains(number) {
      rank = .fixed(number)
    } else if let share = Double(argument), share > 0, share < 1 {
      rank = .share(share, atMost: 128)
    } else {
      return nil
    }
  }
}

/// Flags of the command line contract that this version does not have: refused by name, never ignored.
struct UnavailableOptions: ParsableArguments {
  @Option(help: .hidden) var checkpoint: String?
  @Flag(help: .hidden) var resume = false
  @Flag(help: .hidden) var batchNorm = false

  func validate() throws {
    let given = [
      ("--checkpoint", checkpoint != nil),
      ("--resume", resume), ("--batch-norm", batchNorm),
    ]
    for (flag, isGiven) in given where isGiven {
      throw ValidationError("\(flag): expected a flag of this version, found one that is still to come")
    }
  }
}
