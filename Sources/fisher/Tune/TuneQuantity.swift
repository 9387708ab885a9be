import ArgumentParser

/// What can be tuned, by the flags of `fisher train` that fix it.
enum TuneQuantity: String, CaseIterable {
  case learningRate = "learning-rate"
  case damping
  case trustRegion = "trust-region"
  case batch
  case rank

  static var all: String { allCases.map(\.rawValue).joined(separator: ", ") }

  var flags: [String] { self == .learningRate ? ["--learning-rate", "--lr"] : ["--\(rawValue)"] }

  /// Whether it changes anything about such a run.
  func isMeant(for training: Train) -> Bool {
    let isNatural = training.optimizer.optimizer == .rngd
    return switch self {
    case .learningRate, .batch: true
    case .damping, .trustRegion: isNatural
    case .rank: isNatural && [.auto, .projected].contains(training.optimizer.metric ?? .auto)
    }
  }

  static func parse(_ text: String) throws -> [TuneQuantity] {
    let chosen = try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      guard let quantity = TuneQuantity(rawValue: String(word)) else {
        throw ValidationError("expected some of \(all), with commas between them, found \(text)")
      }
      return quantity
    }
    // (in one order, by which settings are drawn)
    return allCases.filter(chosen.contains)
  }
}
