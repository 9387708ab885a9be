/// When the layers' Fisher matrices are refreshed: at the first step all of them, soon again, and then each at its own
/// steps, the same in every run.
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

  /// Whether the first refreshes come after 1, 2, 4, 8, … steps until the interval is reached. A matrix of the first
  /// mini-batch alone says little, and the weights move fastest at the start.
  public var startsEarly: Bool

  public init(interval: Int? = nil, isSpread: Bool = false, drift: Double? = nil, startsEarly: Bool = true) {
    self.interval = interval
    self.isSpread = isSpread
    self.drift = drift
    self.startsEarly = startsEarly
  }

  /// The refreshes of a layer that come before the first interval is over, for a T of so many steps.
  public func earlyRefreshes(interval: Int) -> Int {
    startsEarly && interval > 1 ? Int.bitWidth - (interval - 1).leadingZeroBitCount : 1
  }

  func validate() throws(FisherError) {
    if let interval, interval < 1 {
      throw .invalidArgument(what: "refresh", expected: "a number of steps from 1 up", found: "\(interval)")
    }
    if let drift { try require(drift > 0 && drift < 1, "drift", expected: "a number in (0, 1)", found: drift) }
  }
}

/// A schedule under way.
struct RefreshClock: StateValue {
  private let schedule: RefreshSchedule
  /// T at the start, and now.
  private let firstInterval: Int
  private(set) var interval: Int
  /// The step of each layer's next refresh.
  private var next: [Int]
  /// Steps before the schedule began anew.
  private var origin = 0

  /// - Parameter interval: T where the schedule does not say.
  init(_ schedule: RefreshSchedule, interval: Int = 1, layers: Int) {
    self.schedule = schedule
    firstInterval = schedule.interval ?? interval
    self.interval = firstInterval
    next = Array(repeating: 1, count: layers)
  }

  mutating func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("interval", &interval, in: 1...Int.max / 4)
    try visitor.visit("next", &next)
    try visitor.visit("origin", &origin)
  }

  /// Whether a layer's refresh is due; one that failed stays so until ``refreshed(_:step:)``.
  func isDue(_ layer: Int, step: Int) -> Bool { step >= next[layer] }

  /// Layers are due at multiples of T; spread, layer k of K comes (K − 1 − k)/K of an interval before them, so that the last
  /// is due where all would be. Before the first of them they are due after 1, 2, 4, … steps.
  mutating func refreshed(_ layer: Int, step: Int) {
    let step = step - origin
    if schedule.startsEarly, 2 * step < interval {
      // (what was late goes on from where it is)
      var due = 1
      while due <= step { due *= 2 }
      next[layer] = origin + due
      return
    }
    let lead = schedule.isSpread ? (next.count - 1 - layer) * interval / max(1, next.count) : 0
    next[layer] = origin + ((step + lead) / interval + 1) * interval - lead
  }

  /// Steps until a layer's next refresh.
  func stepsUntilDue(_ layer: Int, step: Int) -> Int { max(1, next[layer] - step) }

  /// Whether a layer's next refresh comes before the first interval is over.
  func isEarly(_ layer: Int, step: Int) -> Bool { schedule.startsEarly && next[layer] - origin < interval }

  /// Makes a layer's refresh due at once.
  mutating func expedite(_ layer: Int, step: Int) { next[layer] = min(next[layer], step + 1) }

  /// Begins anew after this step: all layers are due at the next one, and soon again.
  mutating func restart(after step: Int) {
    origin = step
    for layer in next.indices { next[layer] = step + 1 }
  }

  /// Takes what a refresh has found.
  mutating func note(drift: Double) {
    guard let wanted = schedule.drift, drift.isFinite else { return }
    if drift < wanted / 2 { interval = min(2 * interval, 4 * firstInterval) }
    if drift > wanted * 2 { interval = max(interval / 2, max(1, firstInterval / 4)) }
  }
}

/// How far the directions of a refresh are from those before it, over all layers that it refreshed.
struct DriftMeter: StateValue {
  private var dot = 0.0
  private var before = 0.0
  private var after = 0.0

  mutating func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("product", &dot)
    try visitor.visit("before", &before)
    try visitor.visit("after", &after)
  }

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
