/// Where the time of training steps goes, phase by phase, with the work that the formulas count.
///
///     let profile = StepProfile()
///     trainer.profile = profile
///     try trainer.run(epochs: 1)
///     print(profile)
public final class StepProfile {
  /// The parts of a step, in their order.
  public enum Phase: Int, CaseIterable, Sendable {
    case gather, forward, backward, observe, refresh, precondition, update
  }

  /// What one phase took in all.
  public struct Entry: Equatable, Sendable {
    public var seconds = 0.0
    public var calls = 0
    /// Operations, and bytes of operands and results, by the formulas.
    public var flops = 0.0
    public var bytes = 0.0
  }

  public private(set) var entries = [Entry](repeating: Entry(), count: Phase.allCases.count)
  private let clock = ContinuousClock()

  public init() {}

  public subscript(phase: Phase) -> Entry { entries[phase.rawValue] }

  public var seconds: Double { entries.reduce(0) { $0 + $1.seconds } }

  func measure<E: Error>(_ phase: Phase, _ work: Work, _ body: () throws(E) -> Void) throws(E) {
    let start = clock.now
    try body()
    let elapsed = clock.now - start
    entries[phase.rawValue].seconds += elapsed / .seconds(1)
    entries[phase.rawValue].calls += 1
    entries[phase.rawValue].flops += work.flops
    entries[phase.rawValue].bytes += work.bytes
  }
}

extension StepProfile? {
  /// Measures where there is a profile, and just runs where there is none.
  func measure<E: Error>(
    _ phase: StepProfile.Phase, _ work: @autoclosure () -> Work, _ body: () throws(E) -> Void
  ) throws(E) {
    guard let self else { return try body() }
    try self.measure(phase, work(), body)
  }
}

extension StepProfile: CustomStringConvertible {
  /// A table: seconds, share, microseconds a call, GFLOP/s and GB/s of each phase.
  public var description: String {
    let total = max(seconds, .leastNonzeroMagnitude)
    var table = "phase           calls   seconds   share     µs/call   GFLOP/s     GB/s\n"
    for phase in Phase.allCases {
      let entry = self[phase]
      guard entry.calls > 0 else { continue }
      let time = max(entry.seconds, .leastNonzeroMagnitude)
      table += pad("\(phase)", -14) + pad("\(entry.calls)", 7) + pad(fixed(entry.seconds, 3), 10)
      table += pad(fixed(100 * entry.seconds / total, 1) + "%", 8)
      table += pad(fixed(1e6 * time / Double(entry.calls), 1), 12)
      table += pad(fixed(entry.flops / time / 1e9, 1), 10) + pad(fixed(entry.bytes / time / 1e9, 1), 9) + "\n"
    }
    return table + pad("all", -14) + pad("", 7) + pad(fixed(total, 3), 10) + "\n"
  }
}
