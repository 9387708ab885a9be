/// How long a piece of work is repeated.
struct Patience: Sendable, Encodable {
  /// At least so many repetitions, and so many seconds of them ...
  var repetitions = 20
  var seconds = 0.3
  /// ... but no more seconds than this, as long as there are so few repetitions.
  var limit = 1.0
  var least = 3

  static let usual = Patience()
  static let quick = Patience(seconds: 0.05, limit: 0.2)

  func isEnough(repetitions count: Int, seconds total: Double) -> Bool {
    count >= least && (total >= limit || count >= repetitions && total >= seconds)
  }
}

/// The times of a repeated call.
struct Timing: Sendable {
  let median: Double
  let least: Double
  /// The middle half of the repetitions lies within this share of the median.
  let spread: Double
  let repetitions: Int

  /// Times `call`, each time after `reset`, which is not timed. Two calls come first to warm up: the caches, the
  /// threads, and pages that are touched for the first time.
  static func measure(_ patience: Patience, reset: () -> Void = {}, call: () -> Void) -> Timing {
    for _ in 0..<2 {
      reset()
      call()
    }
    let clock = ContinuousClock()
    var times: [Double] = []
    var total = 0.0
    while !patience.isEnough(repetitions: times.count, seconds: total) {
      reset()
      let time = clock.measure(call) / .seconds(1)
      times.append(time)
      total += time
    }
    return Timing(times)
  }

  init(_ times: [Double]) {
    let sorted = times.sorted()
    func quantile(_ q: Double) -> Double { sorted[Int((q * Double(sorted.count - 1)).rounded())] }
    median = quantile(0.5)
    least = sorted[0]
    spread = median > 0 ? (quantile(0.75) - quantile(0.25)) / median : 0
    repetitions = sorted.count
  }
}
