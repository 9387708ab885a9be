import FisherKitTestSupport
import Testing

@testable import FisherKit

/// The bounds between which a refresh interval adapts, and the drift that it goes by.
@Suite struct RefreshClockTests {
  private func intervals(_ drifts: [Double], from interval: Int, wanted: Double = 0.1) -> [Int] {
    var clock = RefreshClock(RefreshSchedule(interval: interval, drift: wanted), layers: 1)
    return drifts.map { drift in
      clock.note(drift: drift)
      return clock.interval
    }
  }

  /// Doubled and halved, from a quarter of T, but 1 at least, to four times T.
  @Test func bounds() {
    #expect(intervals([0, 0, 0, 0], from: 8) == [16, 32, 32, 32])
    #expect(intervals([1, 1, 1, 1], from: 8) == [4, 2, 2, 2])
    #expect(intervals([0, 0, 0, 1, 1, 1, 1, 1, 1], from: 8) == [16, 32, 32, 16, 8, 4, 2, 2, 2])
    #expect(intervals([0, 0, 0], from: 5) == [10, 20, 20] && intervals([1, 1, 1], from: 5) == [2, 1, 1])
    #expect(intervals([1, 1], from: 1) == [1, 1])
  }

  /// It grows below half of the wanted drift, and shrinks above twice of it.
  @Test func thresholds() {
    for (drift, expected) in [(0.049, 16), (0.051, 8), (0.1, 8), (0.199, 8), (0.201, 4), (.nan, 8)] {
      #expect(intervals([drift], from: 8) == [expected], "drift \(drift)")
    }
  }

  /// 1 − cos of the angle between all directions together: 0 to 2.
  @Test func drift() throws {
    func drift(_ pairs: [([Double], [Double])]) throws -> Double? {
      var meter = DriftMeter()
      for (old, new) in pairs {
        meter.add(
          before: try Matrix<Double>.make(old, rows: 1, columns: old.count),
          after: try Matrix<Double>.make(new, rows: 1, columns: new.count))
      }
      return meter.drift
    }
    #expect(try drift([([3, 4], [6, 8])]) == 0 && drift([([3, 4], [-3, -4])]) == 2)
    #expect(try drift([([1, 0], [0, 5])]) == 1 && drift([([0, 0], [1, 1])]) == nil && drift([]) == nil)
    // (2·1 + 3·4)/√((4 + 9)(1 + 16))
    let found = try #require(try drift([([2], [1]), ([3], [4])]))
    #expect(abs(found - (1 - 14 / (13.0 * 17).squareRoot())) < 1e-15)
  }

  /// Early is what comes before the first interval is over: T itself is not.
  @Test func early() {
    var clock = RefreshClock(RefreshSchedule(interval: 12), layers: 1)
    var found: [Int: Bool] = [:]
    for step in 1...30 where clock.isDue(0, step: step) {
      clock.refreshed(0, step: step)
      found[step + clock.stepsUntilDue(0, step: step)] = clock.isEarly(0, step: step)
    }
    #expect(found == [2: true, 4: true, 8: true, 12: false, 24: false, 36: false])
  }
}
