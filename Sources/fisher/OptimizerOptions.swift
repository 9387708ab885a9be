import ArgumentParser
import FisherKit

/// The optimizer and its settings.
struct OptimizerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("\(OptimizerName.all).", valueName: "name")) var optimizer = OptimizerName.rngd
  @Option(
    help: ArgumentHelp(
      "How rngd holds its Fisher matrices (default: exact). exact: one per neuron. shared: one per layer. paper: the "
        + "running averages of the paper's experiment.", valueName: "exact|shared|paper"))
  var metric: MetricName?
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
      ] where isGiven {
        throw ValidationError("--\(flag): expected --optimizer rngd, found \(optimizer)")
      }
    }
    if let layer = pair.first(where: { $0 < 1 }) {
      throw ValidationError("--pair: expected a layer from 1 up, found \(layer)")
    }
    if !pair.isEmpty, !(metric ?? .exact).metric.takesPairs {
      throw ValidationError("--pair: expected --metric exact, found \((metric ?? .exact).rawValue)")
    }
    if let metric, !metric.isAvailable {
      throw ValidationError(
        "--metric: expected one that this version has (exact, shared, paper), found \(metric.rawValue)")
    }
  }

  /// The matrices of pairs are smaller than those of single layers, and want a larger λ.
  var usualDamping: Double { damping ?? (pair.isEmpty ? 0.005 : 0.02) }
  var rate: Double { learningRate ?? optimizer.usualLearningRate }

  func make() throws(FisherError) -> any Optimizer<Float> {
    switch optimizer {
    case .sgd: try SGD(learningRate: rate, l2: l2)
    case .momentum: try Momentum(learningRate: rate, l2: l2)
    case .adam: try Adam(learningRate: rate, l2: l2)
    case .rngd:
      try RNGD(
        metric: (metric ?? .exact).metric, learningRate: rate, damping: usualDamping,
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
  case exact, shared, paper
  /// Known by name, and refused by name.
  case auto, kernel, projected

  /// What the help lists.
  static var allValueStrings: [String] { allCases.filter(\.isAvailable).map(\.rawValue) }

  var isAvailable: Bool {
    switch self {
    case .exact, .shared, .paper: true
    case .auto, .kernel, .projected: false
    }
  }

  var metric: any Metric {
    switch self {
    case .shared: SharedMetric()
    case .paper: PaperMetric()
    default: ExactMetric()
    }
  }
}

/// Flags of the command line contract that this version does not have: refused by name, never ignored.
struct UnavailableOptions: ParsableArguments {
  @Option(help: .hidden) var rank: String?
  @Option(help: .hidden) var windowSamples: String?
  @Option(help: .hidden) var checkpoint: String?
  @Flag(help: .hidden) var resume = false
  @Flag(help: .hidden) var batchNorm = false

  func validate() throws {
    let given = [
      ("--rank", rank != nil), ("--window-samples", windowSamples != nil), ("--checkpoint", checkpoint != nil),
      ("--resume", resume), ("--batch-norm", batchNorm),
    ]
    for (flag, isGiven) in given where isGiven {
      throw ValidationError("\(flag): expected a flag of this version, found one that is still to come")
    }
  }
}
