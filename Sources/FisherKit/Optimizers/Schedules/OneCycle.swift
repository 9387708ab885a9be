import Foundation

/// Up from `start` to 1 by half a cosine, and down to `end` by another (Smith & Topin 2018).
public struct OneCycle: Schedule, Equatable {
  /// Where it is highest, as a share of the schedule.
  public var peak: Double
  public var start: Double
  public var end: Double

  public init(peak: Double = 0.3, from start: Double = 0.04, to end: Double = 4e-6) {
    (self.peak, self.start, self.end) = (peak, start, end)
  }

  public var description: String {
    let usual = OneCycle()
    return "one-cycle" + (peak == usual.peak ? "" : ":peak=\(peak)") + (start == usual.start ? "" : ":from=\(start)")
      + (end == usual.end ? "" : ":to=\(end)")
  }

  public func factor(at progress: ScheduleProgress) -> Double? {
    progress.share.map { share in
      if share < peak { return start + (1 - start) * (1 - cos(.pi * share / peak)) / 2 }
      return end + (1 - end) * (1 + cos(.pi * (share - peak) / (1 - peak))) / 2
    }
  }

  public func validate() throws(FisherError) {
    try require(peak >= 0 && peak < 1, "one-cycle schedule", expected: "a peak in [0, 1)", found: peak)
    try require(start >= 0 && start <= 1e6, "one-cycle schedule", expected: "a start from 0 to 1e6", found: start)
    try requireEnd(end, "one-cycle schedule")
  }
}
