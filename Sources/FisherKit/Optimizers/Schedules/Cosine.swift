import Foundation

/// Half a cosine from 1 to `end`: end + (1 − end)(1 + cos π·share)/2 (Loshchilov & Hutter 2017).
public struct Cosine: Schedule, Equatable {
  public var end: Double

  /// - Parameter end: from 0 up.
  public init(to end: Double = 0) { self.end = end }

  public var description: String { end == 0 ? "cosine" : "cosine:to=\(end)" }

  public func factor(at progress: ScheduleProgress) -> Double? {
    progress.share.map { end + (1 - end) * (1 + cos(.pi * $0)) / 2 }
  }

  public func validate() throws(FisherError) { try requireEnd(end, "cosine") }
}

/// What a factor may come to.
func requireEnd(_ end: Double, _ name: String) throws(FisherError) {
  try require(end >= 0 && end <= 1e6, name, expected: "an end from 0 to 1e6", found: end)
}
