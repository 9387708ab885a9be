import FisherKit

/// What trials share: the clock, the objective, and the memory that those which wait may keep.
final class TrialContext {
  let clock: TuneClock
  let objective: TuneObjective
  /// Beyond which no trial trains.
  let epochs: Int?
  let costs: MachineCosts?
  /// For auto's plan, the same for all: what is free changes with every trial that waits.
  let memoryCap: Int
  /// The most that it took to make a trainer.
  var setup = 0.0
  var onProgress: (Trial) -> Void = { _ in }
  /// Of trainers that wait, or are under way.
  private let mostBytes: Int
  private var holders: [ObjectIdentifier: (trial: Unowned, bytes: Int)] = [:]

  private struct Unowned { unowned let trial: Trial }

  init(
    clock: TuneClock, objective: TuneObjective, epochs: Int?, costs: MachineCosts?, memoryCap: Int, mostBytes: Int
  ) {
    (self.clock, self.objective, self.epochs, self.costs) = (clock, objective, epochs, costs)
    (self.memoryCap, self.mostBytes) = (memoryCap, mostBytes)
  }

  /// Of all trainers there are.
  var bytes: Int { holders.values.reduce(0) { $0 + $1.bytes } }

  func hasRoom(for bytes: Int) -> Bool { bytes <= mostBytes }

  func hold(_ trial: Trial) { holders[ObjectIdentifier(trial)] = (Unowned(trial: trial), trial.bytes) }

  /// A trial that waits keeps its trainer where there is room: else it begins anew if it goes on.
  func settle(_ trial: Trial) {
    if !hasRoom(for: bytes) { trial.release() }
  }

  func release(_ trial: Trial) { holders[ObjectIdentifier(trial)] = nil }

  /// - Returns: whether there were others.
  func releaseAll(but trial: Trial) -> Bool {
    let others = holders.filter { $0.key != ObjectIdentifier(trial) }.map(\.value.trial.trial)
    for other in others { other.release() }
    return !others.isEmpty
  }
}
