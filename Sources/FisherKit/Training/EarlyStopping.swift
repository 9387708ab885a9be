/// When training ends before its epochs do: once the validation set has not come out better for some epochs in a row. The
/// weights are then those of the best epoch.
public struct EarlyStopping: Equatable, Sendable {
  /// What is watched on the validation set.
  public enum Watched: Equatable, Sendable {
    /// The loss; less is better.
    case loss
    /// A ``Measure`` by its name.
    case measure(String, isBetterLarger: Bool)
  }

  public var watched: Watched
  /// Epochs in a row without a better one that are waited for.
  public var patience: Int
  /// By how much an epoch has to be better to count.
  public var leastGain: Double

  public init(watching watched: Watched = .loss, patience: Int, leastGain: Double = 0) {
    self.watched = watched
    self.patience = patience
    self.leastGain = leastGain
  }

  func validate(measures: [String]) throws(FisherError) {
    try require(patience >= 1, "patience", expected: "1 epoch or more", found: patience)
    try require(
      leastGain >= 0 && leastGain.isFinite, "least gain", expected: "a number from 0 up", found: leastGain)
    guard case .measure(let name, _) = watched, !measures.contains(name) else { return }
    throw .invalidArgument(
      what: "early stopping", expected: "a measure of the trainer's: \(measures.joined(separator: ", "))", found: name)
  }

  /// What is watched, such that less is better.
  func badness(of report: EpochReport) -> Double {
    switch watched {
    case .loss: report.validation.loss
    case .measure(let name, let isBetterLarger): (report.measures[name] ?? .nan) * (isBetterLarger ? -1 : 1)
    }
  }
}
