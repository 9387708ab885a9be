/// When the layers' Fisher matrices are refreshed: at the first step all of them, and then each at its own steps, the same
/// in every run.
public struct RefreshSchedule: Equatable, Sendable {
  /// T: steps between two refreshes of a layer; `nil` for what the metric finds best. An adaptive schedule starts with it.
  public var interval: Int?
  /// Layers one after the other, evenly over the interval, and the neurons of a layer over steps in a row, instead of all
  /// at the same step: none waits for more than a part of one layer. A layer's new matrix takes effect with its last part.
  public var isSpread: Bool
  /// The drift to aim at: 1 − cos of the angle between the directions that the old and the new matrices give to one
  /// gradient. Where a refresh finds less than half of it the interval doubles, where it finds more than twice it halves,
  /// between a quarter of `interval` and four times it. `nil` keeps the interval.
  public var drift: Double?

  public init(interval: Int? = nil, isSpread: Bool = false, drift: Double? = nil) {
    self.interval = interval
    self.isSpread = isSpread
    self.drift = drift
  }

  func validate() throws(FisherError) {
    if let interval, interval < 1 {
      throw .invalidArgument(what: "refresh", expected: "a number of steps from 1 up", found: "\(interval)")
    }
    if let drift { try require(drift > 0 && drift < 1, "drift", expected: "a number in (0, 1)", found: drift) }
  }
}

/// A schedule under way.
struct RefreshClock {
  private let schedule: RefreshSchedule
  /// T at the start, and now.
  private let firstInterval: Int
  private(set) var interval: Int
  /// The step of each layer's next refresh.
  private var next: [Int]

  /// - Parameter interval: T where the schedule does not say.
  init(_ schedule: RefreshSchedule, interval: Int = 1, layers: Int) {
    self.schedule = schedule
    firstInterval = schedule.interval ?? interval
    self.interval = firstInterval
    next = Array(repeating: 1, count: layers)
  }

  /// Whether a layer's refresh is due; one that failed stays so until ``refreshed(_:step:)``.
  func isDue(_ layer: Int, step: Int) -> Bool { step >= next[layer] }

  /// Layers are due at multiples of T; spread, layer k of K comes (K − 1 − k)/K of an interval before them, so that the last
  /// is due where all would be.
  mutating func refreshed(_ layer: Int, step: Int) {
    let lead = schedule.isSpread ? (next.count - 1 - layer) * interval / max(1, next.count) : 0
    next[layer] = ((step + lead) / interval + 1) * interval - lead
  }

  /// Takes what a refresh has found.
  mutating func note(drift: Double) {
    guard let wanted = schedule.drift, drift.isFinite else { return }
    if drift < wanted / 2 { interval = min(2 * interval, 4 * firstInterval) }
    if drift > wanted * 2 { interval = max(interval / 2, max(1, firstInterval / 4)) }
  }
}

/// How far the directions of a refresh are from those before it, over all layers that it refreshed.
struct DriftMeter {
  private var dot = 0.0
  private var before = 0.0
  private var after = 0.0

  mutating func add<S: KernelScalar>(before old: borrowing Matrix<S>, after new: borrowing Matrix<S>) {
    dot += old.dot(new)
    before += old.dot(old)
    after += new.dot(new)
  }

  /// 1 − cos; `nil` where there is nothing to compare.
  var drift: Double? {
    let norms = (before * after).squareRoot()
    return norms > 0 && norms.isFinite ? 1 - dot / norms : nil
  }
}
