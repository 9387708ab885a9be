import ArgumentParser
import FisherKit

/// The optimizer and its settings.
struct OptimizerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("\(OptimizerName.all).", valueName: "name")) var optimizer = OptimizerName.rngd
  @Option(
    help: ArgumentHelp(
      "How rngd holds its Fisher matrices (default: auto). auto: what is cheapest for each layer at exact's quality. "
        + "exact: one per neuron. projected: one per neuron in a subspace of the inputs. kernel: exact, for few samples. "
        + "iterative: exact, by conjugate gradients. diagonal, shared: one per layer. average: exact, averaged over "
        + "windows. paper: the running averages of the paper's experiment.", valueName: "name"))
  var metric: MetricName?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Rank of the subspace of auto and projected (default: 64), of projected also as a share such as 0.9 of what it "
        + "must keep of the effective dimension, with at most 128.", valueName: "R"))
  var rank: RankChoice?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What a refresh of average leaves of the one before (default: 0.5).", valueName: "β"))
  var decay: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The most samples that a refresh is made of (default: kernel 100, exact and shared 8192, others 1000).",
      valueName: "N"))
  var windowSamples: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The most memory that auto may plan for, in bytes (default: half of what is free).", valueName: "bytes"))
  var memoryCap: Int?
  @Option(
    help: ArgumentHelp(
      "The machine's speeds for auto's plan, in JSON; measured, and written there, where it does not exist.",
      valueName: "file"))
  var costModel: String?
  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp(
      "γ (default: rngd by the batch, 0.01 for 50, sgd 0.1, momentum 0.01, adam 0.0005).", valueName: "γ"))
  var learningRate: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "λ, added to the diagonal of rngd's matrices, such as the paper's 0.005 (default: 0.016 by norm).", valueName: "λ"
    )
  )
  var damping: Double?
  @Option(
    help: ArgumentHelp(
      "What --damping is. absolute (default, where it is given): that number. relative: that times each block's mean "
        + "diagonal. norm: that times its trace/√order. adaptive-...: what it starts from, to follow how well the matrices "
        + "foresee the loss.",
      valueName: "rule"))
  var dampingRule: DampingRule?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "κ: how far a step of rngd may move what a layer puts out, in nats a sample by its matrix; 0 for no bound (default: "
        + "4e-4·batch, at most 0.08, shared among the layers).", valueName: "κ"))
  var trustRegion: Double?
  @Flag(help: "Move every layer by κ at each step, instead of by κ at most.") var normalizeSteps = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Steps between two refreshes of rngd's matrices (default: auto 10000/batch, others 100).", valueName: "T"))
  var refresh: Int?
  @Flag(help: "Leave out the refreshes of rngd's matrices after 1, 2, 4, … steps, before the first interval is over.")
  var noEarlyRefreshes = false
  @Flag(help: "Refresh one layer after the other over the interval, each over some steps, instead of all at one step.")
  var spreadRefresh = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Adapt the refresh interval, from a quarter to four times T, to this drift of directions: 1 − cos of their angle.",
      valueName: "drift"))
  var drift: Double?
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
    if let trustRegion, !(trustRegion >= 0 && trustRegion <= 1e30) {
      throw ValidationError("--trust-region: expected a number from 0 to 1e30, found \(trustRegion)")
    }
    if normalizeSteps, trustRegion == 0 {
      throw ValidationError("--normalize-steps: expected a --trust-region above 0, found 0")
    }
    if let refresh, refresh < 1 { throw ValidationError("--refresh: expected 1 or more steps, found \(refresh)") }
    if optimizer != .rngd {
      for (flag, isGiven) in [
        ("metric", metric != nil), ("damping", damping != nil), ("refresh", refresh != nil), ("pair", !pair.isEmpty),
        ("rank", rank != nil), ("window-samples", windowSamples != nil), ("decay", decay != nil),
        ("damping-rule", dampingRule != nil), ("trust-region", trustRegion != nil),
        ("normalize-steps", normalizeSteps), ("no-early-refreshes", noEarlyRefreshes),
        ("spread-refresh", spreadRefresh), ("drift", drift != nil),
        ("memory-cap", memoryCap != nil), ("cost-model", costModel != nil),
      ] where isGiven {
        throw ValidationError("--\(flag): expected --optimizer rngd, found \(optimizer)")
      }
    }
    if let drift, !(drift > 0 && drift < 1) {
      throw ValidationError("--drift: expected a number in (0, 1), found \(drift)")
    }
    let chosen = metric ?? .auto
    if rank != nil, chosen != .projected, chosen != .auto {
      throw ValidationError("--rank: expected --metric auto or projected, found \(chosen.rawValue)")
    }
    if let rank, chosen == .auto, rank.fixed == nil {
      throw ValidationError("--rank: expected a whole number with --metric auto, found a share")
    }
    if let decay, !(decay >= 0 && decay < 1) {
      throw ValidationError("--decay: expected a number in [0, 1), found \(decay)")
    }
    if decay != nil, chosen != .average {
      throw ValidationError("--decay: expected --metric average, found \(chosen.rawValue)")
    }
    if let memoryCap, memoryCap < 1 {
      throw ValidationError("--memory-cap: expected 1 byte or more, found \(memoryCap)")
    }
    for (flag, isGiven) in [("memory-cap", memoryCap != nil), ("cost-model", costModel != nil)]
    where isGiven && chosen != .auto {
      throw ValidationError("--\(flag): expected --metric auto, found \(chosen.rawValue)")
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
    if !pair.isEmpty, !chosen.takesPairs {
      throw ValidationError("--pair: expected --metric auto, exact, projected or kernel, found \(chosen.rawValue)")
    }
  }

  var usualDamping: Damping {
    let (absolute, relative, norm) = (0.005, 0.2, Damping.usual.amount)
    return switch dampingRule {
    case nil: damping.map { .absolute($0) } ?? .usual
    case .absolute: .absolute(damping ?? absolute)
    case .relative: .relative(damping ?? relative)
    case .norm: .norm(damping ?? norm)
    case .adaptive: .adaptive(from: .absolute(damping ?? absolute))
    case .adaptiveRelative: .adaptive(from: .relative(damping ?? relative))
    case .adaptiveNorm: .adaptive(from: .norm(damping ?? norm))
    }
  }
  func rate(batch: Int) -> Double { learningRate ?? optimizer.usualLearningRate(batch: batch) }

  private func makeMetric(costs: MachineCosts?) throws -> any Metric {
    switch metric ?? .auto {
    case .auto:
      try AutoMetric(
        memoryCap: memoryCap, rank: rank?.fixed ?? AutoMetric.usualRank, windowSamples: windowSamples ?? 1000,
        costs: try costs ?? costModel.map { try CostModelFile(path: $0).load() })
    case .exact: ExactMetric(windowSamples: windowSamples ?? 8192)
    case .projected: ProjectedMetric(rank: rank?.rank ?? .fixed(64), windowSamples: windowSamples ?? 1000)
    case .kernel: KernelMetric(windowSamples: windowSamples ?? 100)
    case .iterative: IterativeMetric(windowSamples: windowSamples ?? 1000)
    case .diagonal: DiagonalMetric(windowSamples: windowSamples ?? 1000)
    case .shared: SharedMetric(windowSamples: windowSamples ?? 8192)
    case .average: AverageMetric(decay: decay ?? 0.5, windowSamples: windowSamples ?? 1000)
    case .paper: PaperMetric()
    }
  }

  /// - Parameter costs: what auto plans by, ahead of a file.
  func make(batch: Int, costs: MachineCosts? = nil) throws -> any Optimizer<Float> {
    let rate = rate(batch: batch)
    return switch optimizer {
    case .sgd: try SGD(learningRate: rate, l2: l2)
    case .momentum: try Momentum(learningRate: rate, l2: l2)
    case .adam: try Adam(learningRate: rate, l2: l2)
    case .rngd:
      try RNGD(
        metric: try makeMetric(costs: costs), learningRate: rate, damping: usualDamping,
        schedule: RefreshSchedule(
          interval: refresh, isSpread: spreadRefresh, drift: drift, startsEarly: !noEarlyRefreshes),
        trustRegion: TrustRegion(kappa: trustRegion, isNormalized: normalizeSteps), l2: l2)
    }
  }
}

enum OptimizerName: String, CaseIterable, ExpressibleByArgument {
  case rngd, sgd, momentum, adam

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }

  func usualLearningRate(batch: Int) -> Double {
    switch self {
    case .rngd: RNGD<Float>.usualLearningRate(batchSize: batch)
    case .momentum: 0.01
    case .sgd: 0.1
    case .adam: 5e-4
    }
  }
}

enum DampingRule: String, CaseIterable, ExpressibleByArgument {
  case absolute, relative, norm, adaptive
  case adaptiveRelative = "adaptive-relative"
  case adaptiveNorm = "adaptive-norm"
}

enum MetricName: String, CaseIterable, ExpressibleByArgument {
  case auto, exact, projected, kernel, iterative, diagonal, shared, average, paper

  var takesPairs: Bool {
    switch self {
    case .auto, .exact, .projected, .kernel: true
    case .iterative, .diagonal, .shared, .average, .paper: false
    }
  }
}

/// A rank, or the share of the effective dimension that decides on it.
struct RankChoice: ExpressibleByArgument {
  let rank: ProjectedMetric.Rank

  var fixed: Int? {
    if case .fixed(let number) = rank { number } else { nil }
  }

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

  func validate() throws {
    for (flag, isGiven) in [("--checkpoint", checkpoint != nil), ("--resume", resume)] where isGiven {
      throw ValidationError("\(flag): expected a flag of this version, found one that is still to come")
    }
  }
}
