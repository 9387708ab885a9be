/// An optimizer whose numbers change as training goes on: before each step each is what it was when the optimizer was prepared,
/// times the factor of its ``Schedule``.
///
///     let optimizer = try ScheduledOptimizer(
///       RNGD<Float>(learningRate: 0.02),
///       [.learningRate: WarmUp().over(.steps(100)).then(Cosine()), .damping: LinearSchedule(to: 0.1)])
///
/// A schedule over parts of the run needs its length: a ``Trainer`` says it, and a loop of one's own calls ``expect(_:)``.
///
/// ``learningRate`` is what the schedule's factor multiplies.
public final class ScheduledOptimizer<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// In the order of ``OptimizerNumber``.
  public let schedules: [(number: OptimizerNumber, schedule: any Schedule)]
  /// What the factors multiply.
  private var bases: [Double] = []
  private var steps = 0
  private var run = RunLength()

  /// - Throws: `invalidArgument` for settings that are out of their range.
  public init(
    _ inner: any Optimizer<Scalar>, _ schedules: [OptimizerNumber: any Schedule]
  ) throws(FisherError) {
    self.inner = inner
    self.schedules = OptimizerNumber.allCases.compactMap { number in schedules[number].map { (number, $0) } }
    for (_, schedule) in self.schedules { try schedule.validate() }
  }

  public var learningRate: Double {
    get { index(of: .learningRate).map { bases[$0] } ?? inner.learningRate }
    set {
      if let i = index(of: .learningRate) { bases[i] = newValue } else { inner.learningRate = newValue }
    }
  }

  private func index(of number: OptimizerNumber) -> Int? {
    for i in bases.indices where schedules[i].number == number { return i }
    return nil
  }

  public func value(of number: OptimizerNumber) -> Double? {
    index(of: number).map { bases[$0] } ?? inner.value(of: number)
  }

  public func set(_ number: OptimizerNumber, to value: Double) {
    if let i = index(of: number) { bases[i] = value } else { inner.set(number, to: value) }
  }

  /// - Throws: `invalidArgument` where the optimizer does not have a number that is to change.
  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
    (bases, steps) = ([], 0)
    var found: [Double] = []
    for (number, schedule) in schedules {
      guard let value = inner.value(of: number) else {
        throw .invalidArgument(
          what: "schedule \(schedule)", expected: "an optimizer with a \(number.rawValue)", found: inner.name)
      }
      found.append(value)
    }
    bases = found
  }

  public func expect(_ run: RunLength) {
    self.run = run
    inner.expect(run)
  }

  /// - Throws: `invalidArgument` where a schedule goes by the length of the run, and that is not known.
  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    try apply()
    let incidents = try inner.step(model)
    steps += 1
    return incidents
  }

  /// Sets the numbers of the next step.
  private func apply() throws(FisherError) {
    let progress = ScheduleProgress(step: steps, length: run.steps, run: run)
    for i in bases.indices {
      let (number, schedule) = schedules[i]
      guard let factor = schedule.factor(at: progress) else {
        throw .invalidArgument(
          what: "schedule \(schedule)", expected: "a length in steps, or a run of known length (expect(_:))",
          found: "none")
      }
      let value = bases[i] * factor
      guard number.allows(value) else {
        throw .invalidArgument(
          what: "\(number.rawValue) by schedule \(schedule), step \(steps + 1)", expected: number.range,
          found: "\(value)")
      }
      inner.set(number, to: value)
    }
  }

  private func endsWithRun(_ schedule: any Schedule) -> Bool {
    schedule.factor(at: ScheduleProgress(step: 0, length: nil, run: RunLength(stepsPerEpoch: 1e6))) == nil
  }

  public var settings: [String: String] {
    var settings = inner.settings
    for (number, schedule) in schedules {
      // (a schedule that ends with the run is another one in a longer run)
      let run = endsWithRun(schedule) ? " of \(run.steps.map { "\($0) steps" } ?? "no length")" : ""
      settings["\(number.rawValue) schedule"] = "\(schedule)\(run)"
    }
    return settings
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    for i in bases.indices { try visitor.visit(schedules[i].number.rawValue, &bases[i]) }
    try visitor.child("optimizer", inner)
  }
}
