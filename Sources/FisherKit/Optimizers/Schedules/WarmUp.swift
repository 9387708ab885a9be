/// From `start` to 1 in equal steps, of which the last one has 1: start + (1 − start)(step + 1)/length.
public struct WarmUp: Schedule, Equatable {
  public var start: Double

  /// - Parameter start: from 0 to 1.
  public init(from start: Double = 0) { self.start = start }

  public var description: String { start == 0 ? "warm-up" : "warm-up:from=\(start)" }

  public func factor(at progress: ScheduleProgress) -> Double? {
    progress.length.map { length in
      length > 0 ? min(1, start + (1 - start) * Double(progress.step + 1) / Double(length)) : 1
    }
  }

  public func validate() throws(FisherError) {
    try require(start >= 0 && start <= 1, "warm-up", expected: "a start from 0 to 1", found: start)
  }
}
