/// Chooses for each layer how its matrix is held: exact, or projected to the subspace where its inputs are, whichever the
/// cost model finds cheaper per step with its share of a refresh; smaller ranks and windows, and in the end diagonals,
/// where the memory cap asks for it. A pair of layers has its exact matrix, or where that is too large a Kronecker product.
///
/// The choice depends on the costs, and so on the machine: costs that were kept make it the same everywhere.
///
/// A rank of 32, a window of 500 samples and a refresh every 10,000 come within 0.006 of the exact metric's train
/// cross-entropy on networks of images. A rank of 64 with 1,000 samples is 0.003 nearer to it for two fifths more time; over
/// the 64 cells of the robustness grid with mini-batches of 4 to 1,000 its losses are 0.6 % less in the geometric mean.
public struct AutoMetric: Metric {
  /// The most bytes that the curvatures of all layers may hold together, with what refreshes make beside them.
  public let memoryCap: Int
  public let rank: Int
  public let windowSamples: Int
  public let machineCosts: MachineCosts
  public var costs: MachineCosts? { machineCosts }

  /// - Parameters:
  ///   - memoryCap: by default half of the memory that is free.
  ///   - costs: by default measured now, in a few milliseconds.
  public init(
    memoryCap: Int? = nil, rank: Int = Self.usualRank, windowSamples: Int = Self.usualWindowSamples,
    costs: MachineCosts? = nil
  ) throws(FisherError) {
    guard rank > 0 else { throw .invalidArgument(what: "rank", expected: "1 or more", found: "\(rank)") }
    try requireWindow(windowSamples)
    let cap = memoryCap ?? (availableMemory().map { $0 / 2 } ?? 1 << 32)
    guard cap > 0 else { throw .invalidArgument(what: "memory cap", expected: "1 byte or more", found: "\(cap)") }
    machineCosts = if let costs { costs } else { try MachineCosts.measure(Float.self) }
    guard machineCosts.isValid else {
      throw .invalidArgument(what: "costs of the machine", expected: "positive numbers", found: "\(machineCosts)")
    }
    self.memoryCap = cap
    // (no layer has more inputs than can be addressed)
    self.rank = min(rank, .max / 8)
    self.windowSamples = windowSamples
  }

  public static var usualRank: Int { 32 }
  public static var usualWindowSamples: Int { 500 }
  /// The samples from one refresh to the next, and the most steps.
  public static var refreshSamples: Int { 10_000 }
  public static var mostRefreshSteps: Int { 500 }

  public var name: String { "auto" }

  /// A refresh every ``refreshSamples``, but every ``mostRefreshSteps`` at least: with mini-batches of a few samples a deep network has
  /// moved on by then.
  public func refreshInterval(batchSize: Int) -> Int {
    Swift.max(1, min(Self.mostRefreshSteps, Self.refreshSamples / Swift.max(1, batchSize)))
  }

  /// For one layer alone, under the whole cap.
  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try makeCurvatures(for: [site])[0]
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    choice(for: site, .blocks(rank: rank, windowSamples: windowSamples)).estimate(for: site)
  }

  public func makeCurvatures<S: KernelScalar>(
    for sites: [CurvatureSite<S>]
  ) throws(FisherError) -> [any Curvature<S>] {
    var least = Int.max
    for level in [Level].levels(rank: rank, windowSamples: windowSamples) {
      let choices = sites.map { choice(for: $0, level) }
      let bytes = zip(choices, sites).reduce(sites.first?.bytesBeside ?? 0) {
        sum(ofBytes: $0, $1.0.estimate(for: $1.1).bytes)
      }
      least = min(least, bytes)
      guard bytes <= memoryCap else { continue }
      var curvatures: [any Curvature<S>] = []
      for (metric, site) in zip(choices, sites) { curvatures.append(try metric.makeCurvature(for: site)) }
      return curvatures
    }
    throw .exceedsMemoryCap(
      what: "curvature of \(sites.count) layers, reduced to diagonals", bytes: least, cap: memoryCap,
      instead: "a first-order optimizer fits")
  }

  /// Exact where it is cheaper by this much: near the boundary, noise in the measured costs then seldom decides.
  private static var margin: Double { 0.75 }

  /// The matrix of a softmax couples all classes, and is that many times larger for the same rank. A larger one changed
  /// no training loss.
  private static var softmaxRank: Int { 32 }

  /// How much is spent: what the memory cap goes down through.
  enum Level {
    case blocks(rank: Int, windowSamples: Int)
    case diagonals(windowSamples: Int)
  }

  private func choice<S: KernelScalar>(for site: CurvatureSite<S>, _ level: Level) -> any Metric {
    let isPair = site.twoLayers != nil
    switch level {
    case .diagonals(let samples):
      return isPair ? KroneckerMetric(windowSamples: samples) : DiagonalMetric(windowSamples: samples)
    case .blocks(let rank, let samples):
      let exact = ExactMetric(windowSamples: samples)
      let rank = site.isSoftmax ? min(rank, Self.softmaxRank) : rank
      if isPair, exact.estimate(for: site).bytes > memoryCap / 4 { return KroneckerMetric(windowSamples: samples) }
      guard !isPair, rank < site.order else { return exact }
      let projected = ProjectedMetric(rank: .fixed(rank), windowSamples: samples)
      func cost(_ metric: any Metric) -> Double {
        let estimate = metric.estimate(for: site)
        return machineCosts.seconds(estimate.step) + machineCosts.seconds(estimate.refresh)
          / Double(site.refreshInterval)
      }
      // (an exact matrix that is as large as all the cap is none)
      let isSmall = exact.estimate(for: site).bytes <= memoryCap / 4
      return isSmall && cost(exact) <= Self.margin * cost(projected) ? exact : projected
    }
  }
}

extension AutoMetric: SettingsOfItsOwn {
  /// (what it plans by is the machine's; what it planned is a setting of its own)
  var settingText: String { "AutoMetric(rank: \(rank), windowSamples: \(windowSamples))" }
}

extension [AutoMetric.Level] {
  /// From what is wanted down to next to nothing.
  static func levels(rank: Int, windowSamples: Int) -> [AutoMetric.Level] {
    var levels: [AutoMetric.Level] = []
    var (rank, samples) = (rank, windowSamples)
    while rank >= 4 || levels.isEmpty {
      levels.append(.blocks(rank: rank, windowSamples: samples))
      (rank, samples) = (rank / 2, Swift.max(1, Swift.min(samples, Swift.max(samples / 2, 4 * rank))))
    }
    return levels + [.diagonals(windowSamples: samples), .diagonals(windowSamples: 1)]
  }
}
