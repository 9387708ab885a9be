/// √(shift/(shift + step)): 1 at first, ½ after three times the shift. (Vaswani et al. 2017 have it behind a warm-up of as
/// many steps as the shift.)
public struct InverseRoot: Schedule, Equatable {
  public var shift: Duration

  public init(shift: Duration = .steps(100)) { self.shift = shift }

  public var description: String { "inverse-root:shift=\(shift)" }

  public func factor(at progress: ScheduleProgress) -> Double? {
    shift.steps(in: progress.run).map { shift in
      let shift = Double(max(1, shift))
      return (shift / (shift + Double(progress.step))).squareRoot()
    }
  }

  public func validate() throws(FisherError) { try shift.validate("inverse root schedule") }
}
