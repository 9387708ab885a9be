import ArgumentParser
import FisherKit

/// What settings are judged by at equal seconds of training.
enum TuneObjective: Equatable {
  case validationLoss
  case trainingLoss
  /// The seconds of training until the validation loss is this.
  case timeTo(Double)

  init(words: [String]) throws {
    switch (words.first, words.count) {
    case (nil, _), ("validation-loss", 1): self = .validationLoss
    case ("loss", 1): self = .trainingLoss
    case ("time-to", 2):
      guard let loss = Double(words[1]), loss.isFinite else { fallthrough }
      self = .timeTo(loss)
    default:
      throw ValidationError(
        "--objective: expected validation-loss, loss, or time-to with a loss such as time-to 0.3, found "
          + words.joined(separator: " "))
    }
  }

  var words: String {
    switch self {
    case .validationLoss: "validation-loss"
    case .trainingLoss: "loss"
    case .timeTo(let loss): "time-to \(loss)"
    }
  }

  /// What the loss of a trial is called.
  var lossName: String { self == .trainingLoss ? "train loss" : "validation loss" }

  /// The evaluations on the way to where a trial is judged, that one included: a time is known as well as there are of them.
  var evaluations: Int {
    if case .timeTo = self { 3 } else { 1 }
  }

  /// The samples it is of. Training sets count with as many of their first samples as are for validation: an evaluation of
  /// all would cost more than what it judges.
  func samples(of data: DataSplit) -> Range<Int> {
    guard self == .trainingLoss else { return data.validation }
    let start = data.training.lowerBound
    return start..<start + min(data.training.count, data.validation.count)
  }
}

/// Where a trial is: less is better. Whoever came to the loss that was asked for is ahead of whoever did not, the faster
/// the better.
struct TuneScore: Comparable {
  var loss: Double
  var reachedAt: Double?
  /// Of training until then, and its steps.
  var seconds = 0.0
  var steps = 0

  static func < (a: TuneScore, b: TuneScore) -> Bool {
    switch (a.reachedAt, b.reachedAt) {
    case (let a?, let b?): a < b
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil): a.loss < b.loss
    }
  }
}
