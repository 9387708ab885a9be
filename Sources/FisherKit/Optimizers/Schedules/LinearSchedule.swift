/// A straight line: from `start` to `end`.
public struct LinearSchedule: Schedule, Equatable {
  public var start: Double
  public var end: Double

  /// - Parameters: from 0 up.
  public init(from start: Double = 1, to end: Double = 0) { (self.start, self.end) = (start, end) }

  public var description: String {
    "linear" + (start == 1 ? "" : ":from=\(start)") + (end == 0 ? "" : ":to=\(end)")
  }

  public func factor(at progress: ScheduleProgress) -> Double? {
    progress.share.map { start + (end - start) * $0 }
  }

  public func validate() throws(FisherError) {
    try requireEnd(end, "linear schedule")
    try require(start >= 0 && start <= 1e6, "linear schedule", expected: "a start from 0 to 1e6", found: start)
  }
}
