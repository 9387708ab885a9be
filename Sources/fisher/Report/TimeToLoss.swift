/// When runs reached a training loss.
struct TimeToLoss: Equatable {
  var loss: Double
  /// How many of how many runs reached it.
  var reached: Int
  var runs: Int
  /// The means over those that did.
  var epochs: Double?
  var seconds: Double?

  init(loss: Double, runs: [RunRecord]) {
    self.loss = loss
    self.runs = runs.count
    let times = runs.compactMap { $0.time(to: loss) }
    reached = times.count
    epochs = Spread(times.map(\.epochs))?.mean
    seconds = Spread(times.map(\.seconds))?.mean
  }
}

extension RunRecord {
  /// The epochs and training seconds until the training loss is `loss`: linear between the ends of epochs. What the
  /// loss was before the first epoch is not recorded, so that the first one counts whole.
  func time(to loss: Double) -> (epochs: Double, seconds: Double)? {
    guard let index = epochs.firstIndex(where: { $0.trainLoss <= loss }) else { return nil }
    let end = epochs[index]
    guard index > 0 else { return (Double(end.epoch), end.seconds) }
    let start = epochs[index - 1]
    let part = (start.trainLoss - loss) / (start.trainLoss - end.trainLoss)
    return (
      Double(start.epoch) + part * Double(end.epoch - start.epoch),
      start.seconds + part * (end.seconds - start.seconds)
    )
  }
}
