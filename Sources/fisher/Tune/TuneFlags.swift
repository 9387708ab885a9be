import ArgumentParser
import FisherKit

/// The flags of `fisher train` that all trials share, and what is tuned beside them.
struct TuneFlags {
  let words: [String]
  /// Of the shared flags alone: the defaults.
  let defaults: Train
  let quantities: [TuneQuantity]
  let epochs: Int?
  let threads: Int?
  let seed: UInt64?

  /// - Parameter tuned: what was asked for; `nil` for all that means something and that no flag fixes.
  /// - Throws: `ValidationError` where they are not flags of a training run, or would take something out of the hands of the
  ///   tuner.
  init(words: [String], tuned: [TuneQuantity]?, epochs: Int?, threads: Int?, seed: UInt64?) throws {
    (self.words, self.epochs, self.threads, self.seed) = (words, epochs, threads, seed)
    for flag in [
      "--save", "--checkpoint", "--checkpoint-every", "--checkpoint-keep", "--resume", "--stop-early", "--profile",
    ] where Self.has([flag], words) {
      throw ValidationError("\(flag): expected none in fisher tune, whose trials leave nothing behind, found one")
    }
    let defaults = try Self.parse(words)
    self.defaults = defaults
    let optimizer = defaults.optimizer
    let asked = tuned ?? TuneQuantity.allCases.filter { !Self.has($0.flags, words) }
    quantities = try asked.filter { quantity in
      guard tuned != nil else { return quantity.isMeant(for: defaults) }
      if let flag = quantity.flags.first(where: { Self.has([$0], words) }) {
        throw ValidationError(
          "--tune: expected quantities that no flag fixes, found \(quantity.rawValue) beside \(flag)")
      }
      guard quantity.isMeant(for: defaults) else {
        let metric = optimizer.optimizer == .rngd ? ", --metric \((optimizer.metric ?? .auto).rawValue)" : ""
        throw ValidationError(
          "--tune: expected quantities that mean something to --optimizer \(optimizer.optimizer)\(metric), found "
            + quantity.rawValue)
      }
      return true
    }
    guard !quantities.isEmpty else {
      throw ValidationError("--tune: expected something to tune, found flags for all of it")
    }
  }

  private static func has(_ flags: [String], _ words: [String]) -> Bool {
    words.contains { word in flags.contains { word == $0 || word.hasPrefix($0 + "=") } }
  }

  private static func parse(_ words: [String]) throws -> Train {
    do {
      return try Train.parse(words)
    } catch {
      let message = Train.message(for: error)
      throw ValidationError(message.isEmpty ? "expected flags of fisher train, found \(words)" : message)
    }
  }

  /// The unit of the dampings that are drawn.
  private var dampingUnit: Damping.Unit { defaults.optimizer.natural.dampingRule?.unit ?? Damping.usual.unit }

  var usualDamping: Double { Damping.usual(dampingUnit).amount }

  /// The flag alone is an absolute number; where no rule is shared each trial says that of the defaults.
  private var dampingRule: DampingRule? {
    guard defaults.optimizer.natural.dampingRule == nil else { return nil }
    return DampingRule.allCases.first { !$0.isAdaptive && $0.unit == dampingUnit }
  }

  func training(_ settings: TuneSettings, seed: UInt64) throws -> Train {
    try Self.parse(words + settings.words(dampingRule: dampingRule) + ["--seed", "\(seed)"])
  }

  /// What is tuned, as flags.
  func text(of settings: TuneSettings) -> String {
    let words = settings.words(dampingRule: dampingRule)
    return words.isEmpty ? "the defaults" : words.joined(separator: " ")
  }

  /// All flags of a run by these settings.
  func all(_ settings: TuneSettings) -> [String] {
    var all = words + settings.words(dampingRule: dampingRule)
    if let epochs { all += ["--epochs", "\(epochs)"] }
    if let threads { all += ["--threads", "\(threads)"] }
    if let seed { all += ["--seed", "\(seed)"] }
    return all
  }

  /// What a shell makes of `$(cat FLAGS.txt)` is to be these words again: it parts them at blanks and looks for files by
  /// patterns, and quotes are signs like others to it.
  func requirePlainWords() throws {
    let special: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r", "*", "?", "["]
    for word in words where word.isEmpty || word.unicodeScalars.contains(where: special.contains) {
      throw ValidationError(
        "--out: expected flags that a file can hold without quotes, with no blanks and none of *?[, found \"\(word)\"")
    }
  }
}
