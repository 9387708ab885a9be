import ArgumentParser
import FisherKit

/// How rngd makes directions of gradients.
struct NaturalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How rngd holds its Fisher matrices (default: auto). auto: what is cheapest for each layer at exact's quality. "
        + "exact: one per neuron. projected: one per neuron in a subspace of the inputs. kernel: exact, for few samples. "
        + "kronecker: outputs' and inputs' factors of each layer, of a pair of layers too. iterative: exact, by conjugate "
        + "gradients. diagonal; quasi-diagonal: with the bias's row. shared: one per layer. average: exact, averaged over "
        + "windows. paper: the running averages of the paper's experiment.", valueName: "name"))
  var metric: MetricName?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Rank of the subspace of auto and projected (default: \(AutoMetric.usualRank)), of projected also as a share such as "
        + "0.9 of what it must keep of the effective dimension, with at most \(RankChoice.most).", valueName: "R"))
  var rank: RankChoice?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a refresh of average leaves of the one before (default: \(short(AverageMetric().decay))).", valueName: "β"))
  var decay: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The most samples that a refresh is made of (default: kernel \(KernelMetric().windowSamples), exact and shared "
        + "\(ExactMetric().windowSamples), others \(AutoMetric.usualWindowSamples)).",
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
    parsing: .unconditional,
    help: ArgumentHelp(
      "λ, added to the diagonal of rngd's matrices, such as the paper's \(short(Damping.usual(.absolute).amount)) "
        + "(default: \(Damping.usual)).", valueName: "λ")
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
        + "\(short(TrustRegion.perSample))·batch, at most \(short(TrustRegion.perModel)), shared among the layers).",
      valueName: "κ"))
  var trustRegion: Double?
  @Flag(help: "Move every layer by κ at each step, instead of by κ at most.") var normalizeSteps = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Steps between two refreshes of rngd's matrices (default: auto \(AutoMetric.refreshSamples)/batch, at most "
        + "\(AutoMetric.mostRefreshSteps), others \(ExactMetric().refreshInterval(batchSize: RunOptions.usualBatch))).",
      valueName: "T"))
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
  @Option(
    help: ArgumentHelp(
      "Where rngd's --momentum averages: gradients before they are preconditioned, or directions after that.",
      valueName: "place"))
  var momentumPlace: NaturalMomentum.Place?
  @Option(
    help: ArgumentHelp(
      "Whose steps rngd's are as long as, parameter by parameter: \(Graft.allCases.map(\.rawValue).joined(separator: ", ")) (default: none).",
      valueName: "name"))
  var graft: Graft?
  @Option(
    help: ArgumentHelp(
      "What the positions of an image count for in a layer's matrix: sum, root (their sum by their square root) or mean "
        + "(default: \(PositionWeight.usual.rawValue)).", valueName: "name"))
  var positions: PositionWeight?

  /// The flags that were given, which no other optimizer has.
  var given: [String] {
    [
      ("metric", metric != nil), ("damping", damping != nil), ("refresh", refresh != nil), ("pair", !pair.isEmpty),
      ("rank", rank != nil), ("window-samples", windowSamples != nil), ("decay", decay != nil),
      ("damping-rule", dampingRule != nil), ("trust-region", trustRegion != nil),
      ("normalize-steps", normalizeSteps), ("no-early-refreshes", noEarlyRefreshes),
      ("spread-refresh", spreadRefresh), ("drift", drift != nil),
      ("memory-cap", memoryCap != nil), ("cost-model", costModel != nil),
      ("momentum-place", momentumPlace != nil), ("graft", graft != nil), ("positions", positions != nil),
    ].filter(\.1).map(\.0)
  }

  /// Whether the flags go with each other.
  func check() throws {
    let chosen = metric ?? .auto
    if rank != nil, chosen != .projected, chosen != .auto {
      throw ValidationError("--rank: expected --metric auto or projected, found \(chosen.rawValue)")
    }
    if let rank, chosen == .auto, rank.fixed == nil {
      throw ValidationError("--rank: expected a whole number with --metric auto, found a share")
    }
    if decay != nil, chosen != .average {
      throw ValidationError("--decay: expected --metric average, found \(chosen.rawValue)")
    }
    for (flag, isGiven) in [("memory-cap", memoryCap != nil), ("cost-model", costModel != nil)]
    where isGiven && chosen != .auto {
      throw ValidationError("--\(flag): expected --metric auto, found \(chosen.rawValue)")
    }
    if windowSamples != nil, !chosen.hasWindow {
      throw ValidationError("--window-samples: expected a metric with a window, found \(chosen.rawValue)")
    }
    if let layer = pair.first(where: { $0 < 1 }) {
      throw ValidationError("--pair: expected a layer from 1 up, found \(layer)")
    }
    if !pair.isEmpty {
      let takers = try MetricName.allCases.filter { try make($0, costs: Self.anyCosts).takesPairs() }
      guard takers.contains(chosen) else {
        let names = takers.map(\.rawValue)
        throw ValidationError(
          "--pair: expected --metric \(names.dropLast().joined(separator: ", ")) or \(names.last!), found "
            + chosen.rawValue)
      }
    }
  }

  /// Speeds that stand for the machine's where only settings are looked at.
  static let anyCosts = MachineCosts(products: 1, grams: 1, factors: 1, solves: 1, bandwidth: 1, call: 1)

  /// With the usual amount of its rule where none is given.
  var chosenDamping: Damping {
    if dampingRule == nil, damping == nil { return .usual }
    let rule = dampingRule ?? .absolute
    var chosen = Damping.usual(rule.unit)
    if let damping { chosen.amount = damping }
    return rule.isAdaptive ? .adaptive(from: chosen) : chosen
  }

  private func make(_ metric: MetricName, costs: MachineCosts?, memoryCap kept: Int? = nil) throws -> any Metric {
    switch metric {
    case .auto:
      try AutoMetric(
        memoryCap: memoryCap ?? kept, rank: rank?.fixed ?? AutoMetric.usualRank,
        windowSamples: windowSamples ?? AutoMetric.usualWindowSamples,
        costs: try costs ?? costModel.map { try CostModelFile(path: $0).load() })
    case .exact: ExactMetric(windowSamples: windowSamples ?? ExactMetric().windowSamples)
    case .projected:
      ProjectedMetric(
        rank: rank?.rank ?? ProjectedMetric().rank, windowSamples: windowSamples ?? ProjectedMetric().windowSamples)
    case .kernel: KernelMetric(windowSamples: windowSamples ?? KernelMetric().windowSamples)
    case .kronecker: KroneckerMetric(windowSamples: windowSamples ?? KroneckerMetric().windowSamples)
    case .iterative: IterativeMetric(windowSamples: windowSamples ?? IterativeMetric().windowSamples)
    case .quasiDiagonal:
      QuasiDiagonalMetric(windowSamples: windowSamples ?? QuasiDiagonalMetric().windowSamples)
    case .diagonal: DiagonalMetric(windowSamples: windowSamples ?? DiagonalMetric().windowSamples)
    case .shared: SharedMetric(windowSamples: windowSamples ?? SharedMetric().windowSamples)
    case .average:
      AverageMetric(
        decay: decay ?? AverageMetric().decay, windowSamples: windowSamples ?? AverageMetric().windowSamples)
    case .paper: PaperMetric()
    }
  }

  /// - Parameters:
  ///   - rate: γ. `costs`: what auto plans by, ahead of a file. `memoryCap`: where no flag says one.
  func make(
    rate: Double, momentum: Double, isNesterov: Bool, decay: WeightDecay, costs: MachineCosts?, memoryCap: Int?
  ) throws -> RNGD<Float> {
    try RNGD(
      metric: try make(metric ?? .auto, costs: costs, memoryCap: memoryCap), learningRate: rate,
      damping: chosenDamping,
      schedule: RefreshSchedule(
        interval: refresh, isSpread: spreadRefresh, drift: drift, startsEarly: !noEarlyRefreshes),
      trustRegion: TrustRegion(kappa: trustRegion, isNormalized: normalizeSteps), positions: positions ?? .usual,
      momentum: NaturalMomentum(momentum, momentumPlace ?? .before, isNesterov: isNesterov), graft: graft ?? .none,
      decay: decay)
  }
}

extension NaturalMomentum.Place: ExpressibleByArgument {}
extension Graft: ExpressibleByArgument {}
extension PositionWeight: ExpressibleByArgument {}

extension Metric {
  /// Whether it has the matrix of two layers that are one subsystem: it says so when it is asked for one.
  fileprivate func takesPairs() throws -> Bool {
    let pair = Site(
      name: "pair", neurons: 1, order: 2, subsystem: TwoLayers(hidden: Tanh(), outer: SoftmaxLayer()), neuronsAbove: 2)
    do {
      _ = try makeCurvature(for: CurvatureSite<Float>(pair, batchSize: 1, refreshInterval: 1, damping: .usual))
      return true
    } catch .unsupportedForm {
      return false
    }
  }
}
