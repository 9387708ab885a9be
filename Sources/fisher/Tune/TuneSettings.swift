import FisherKit
import Foundation

/// What a trial has beside the flags that all trials share; without any it is the defaults.
struct TuneSettings: Hashable, Codable {
  var learningRate: Double?
  var damping: Double?
  var trustRegion: Double?
  var batch: Int?
  var rank: Int?

  enum CodingKeys: String, CodingKey {
    case damping, batch, rank
    case learningRate = "learning_rate"
    case trustRegion = "trust_region"
  }

  /// As flags of `fisher train`.
  /// - Parameter dampingRule: what a damping is a multiple of, where no shared flag says so.
  func words(dampingRule: DampingRule?) -> [String] {
    var words: [String] = []
    if let learningRate { words += ["--learning-rate", short(learningRate)] }
    if let damping {
      if let dampingRule { words += ["--damping-rule", dampingRule.rawValue] }
      words += ["--damping", short(damping)]
    }
    if let trustRegion { words += ["--trust-region", short(trustRegion)] }
    if let batch { words += ["--batch", "\(batch)"] }
    if let rank { words += ["--rank", "\(rank)"] }
    return words
  }
}

/// Draws settings. The same seed, quantities and ranges give the same list, of which a shorter one is the beginning.
struct TuneSampler {
  var quantities: [TuneQuantity]
  /// For mini-batches of the usual size; none where it is not tuned.
  var rates: ClosedRange<Double>?
  /// What the range is multiplied by for mini-batches of another size, as the optimizer's own default is.
  var rateFactor: (_ batch: Int) -> Double = { _ in 1 }
  /// Around which dampings are drawn.
  var usualDamping: Double
  var batches: [Int]

  /// Two decades either way.
  static let dampingFactors = 1e-2...1e2
  /// In nats for each layer, about the usual ones of mini-batches from 10 to 1,000 samples and a decade beyond.
  static let trustRegions = 5e-4...0.2
  static let ranks = [8, 16, 32, 48, 64, 96, 128]
  static let batchSizes = [16, 32, 64, 128, 256, 512, 1024]

  /// Those of which a training set has eight or more, so that an epoch has steps; the smallest if there is none.
  static func batches(samples: Int) -> [Int] {
    let fitting = batchSizes.filter { $0 * 8 <= samples }
    return fitting.isEmpty ? [min(batchSizes[0], samples)] : fitting
  }

  /// The defaults, and others up to so many in all: fewer where there are no more.
  func draw(_ count: Int, seed: UInt64) -> [TuneSettings] {
    var generator = SeededGenerator(seed: seed, stream: .settings)
    var list = [TuneSettings()]
    var known: Set<TuneSettings> = [list[0]]
    for _ in 0..<100 * count where list.count < count {
      let settings = draw(&generator)
      if known.insert(settings).inserted { list.append(settings) }
    }
    return list
  }

  private func draw(_ generator: inout SeededGenerator) -> TuneSettings {
    var settings = TuneSettings()
    // (each draw takes as many numbers, so that a quantity less leaves the others as they are)
    let (rate, damping, trust) = (generator.uniform(), generator.uniform(), generator.uniform())
    let (batch, rank) = (generator.uniform(below: batches.count), generator.uniform(below: Self.ranks.count))
    if quantities.contains(.batch) { settings.batch = batches[batch] }
    if quantities.contains(.rank) { settings.rank = Self.ranks[rank] }
    if quantities.contains(.learningRate), let rates {
      settings.learningRate = rounded(logUniform(rates, rate) * (settings.batch.map(rateFactor) ?? 1))
    }
    if quantities.contains(.damping) {
      settings.damping = rounded(usualDamping * logUniform(Self.dampingFactors, damping))
    }
    if quantities.contains(.trustRegion) { settings.trustRegion = rounded(logUniform(Self.trustRegions, trust)) }
    return settings
  }

  private func logUniform(_ range: ClosedRange<Double>, _ share: Double) -> Double {
    range.lowerBound * pow(range.upperBound / range.lowerBound, share)
  }

  /// To two digits: more mean nothing here, and would be in the way on a command line.
  private func rounded(_ value: Double) -> Double { Double(short(value, 2)) ?? value }
}
