/// What a number of an optimizer, such as the learning rate, is multiplied by as training goes on.
///
///     let optimizer = try ScheduledOptimizer(RNGD<Float>(), [.learningRate: WarmUp().over(.share(0.05)).then(Cosine())])
///
/// One of one's own is a value with a name for messages and a factor; it works wherever the built-in ones do, but in text: see
/// ``ScheduleText``.
public protocol Schedule: Sendable, CustomStringConvertible {
  /// The factor of a step.
  /// - Returns: `nil` where it takes the length of the piece to tell, and there is none.
  func factor(at progress: ScheduleProgress) -> Double?
  /// - Throws: `invalidArgument` for settings that are out of their range. By default there are none.
  func validate() throws(FisherError)
}

extension Schedule {
  public func validate() throws(FisherError) {}
}

/// Where in a schedule a step is.
public struct ScheduleProgress: Equatable, Sendable {
  /// The steps of the schedule before this one.
  public var step: Int
  /// How many steps the schedule has in all; `nil` where nobody knows how long training will be.
  public var length: Int?
  public var run: RunLength

  public init(step: Int, length: Int?, run: RunLength = RunLength()) {
    (self.step, self.length, self.run) = (step, length, run)
  }

  /// From 0 at the first step to 1 behind the last one, and beyond it.
  public var share: Double? {
    length.map { $0 > 0 ? min(1, Double(step) / Double($0)) : 1 }
  }
}

/// How long training is going to be, as far as that is known.
public struct RunLength: Equatable, Sendable {
  /// Not always a whole number, where a step is made of several mini-batches.
  public var stepsPerEpoch: Double?
  public var epochs: Int?

  public var steps: Int?

  /// - Parameter steps: by default those of its epochs.
  public init(stepsPerEpoch: Double? = nil, epochs: Int? = nil, steps: Int? = nil) {
    (self.stepsPerEpoch, self.epochs, self.steps) = (stepsPerEpoch, epochs, steps)
    guard steps == nil, let stepsPerEpoch, let epochs else { return }
    let all = (stepsPerEpoch * Double(epochs)).rounded(.down)
    if all < 0x1p62 { self.steps = Int(all) }
  }
}

/// A part of training.
public enum Duration: Equatable, Sendable, CustomStringConvertible {
  case steps(Int)
  case epochs(Double)
  /// Of all steps of the run, from 0 to 1.
  case share(Double)

  /// In steps, rounded; `nil` where the run's length is not known, and matters.
  public func steps(in run: RunLength) -> Int? {
    switch self {
    case .steps(let count): count
    case .epochs(let count): run.stepsPerEpoch.map { Int((count * $0).rounded()) }
    case .share(let share): run.steps.map { Int((share * Double($0)).rounded()) }
    }
  }

  public var description: String {
    switch self {
    case .steps(let count): "\(count)"
    case .epochs(let count): "\(short(count))ep"
    case .share(let share): "\(short(100 * share))%"
    }
  }

  func validate(_ what: String) throws(FisherError) {
    let isFine =
      switch self {
      case .steps(let count): (0...1 << 48).contains(count)
      case .epochs(let count): (0...1e9).contains(count)
      case .share(let share): (0...1).contains(share)
      }
    guard isFine else {
      throw .invalidArgument(what: what, expected: "steps or epochs from 0 up, or 0 to 100%", found: "\(self)")
    }
  }
}

/// A number without needless digits.
private func short(_ number: Double) -> String {
  number == number.rounded() && abs(number) < 1e15
    ? "\(Int(number))" : "\(Double(Float(number)) == number ? number : number)"
}
