/// 1 at every step.
public struct Constant: Schedule, Equatable {
  public init() {}

  public var description: String { "constant" }
  public func factor(at progress: ScheduleProgress) -> Double? { 1 }
}
