/// 1, and `factor` times as much from each of some places on.
public struct Staircase: Schedule, Equatable {
  public var places: [Duration]
  public var factor: Double

  /// - Parameters:
  ///   - places: such as [.share(0.5), .share(0.75)]; counted from the start of the schedule; shares are of the whole
  ///     run. `factor`: above 0.
  public init(at places: [Duration], by factor: Double = 0.1) { (self.places, self.factor) = (places, factor) }

  public var description: String {
    "steps:at=\(places.map(\.description).joined(separator: ",")):by=\(factor)"
  }

  public func factor(at progress: ScheduleProgress) -> Double? {
    var result = 1.0
    for i in places.indices {
      guard let start = places[i].steps(in: progress.run) else { return nil }
      if progress.step >= start { result *= factor }
    }
    return result
  }

  public func validate() throws(FisherError) {
    guard !places.isEmpty else {
      throw .invalidArgument(what: "steps schedule", expected: "at least one place, such as at=50%", found: "none")
    }
    for place in places { try place.validate("steps schedule") }
    try require(factor > 0 && factor <= 1e6, "steps schedule", expected: "a factor above 0", found: factor)
  }
}
