import FisherKit
import FisherKitTestSupport

/// The machine's limits. They are measured before the rows, every half a minute between them and after them, and the best
/// counts: where something else runs for a while, no kernel comes out above the peak.
extension Session {
  private static var secondsBetween: Double { 30 }

  mutating func measureLimits() throws {
    show("\(Machine.summary); \(Compute.level); load \(fixed(Machine.load, 2))")
    let library = BLASLibrary.current
    show("\(library.summary); large products: \(Compute.products)")
    if let warning = library.warning { show(warning) }
    if let peer { show("PyTorch \(peer.greeting.torch)") }
    for count in threads {
      let bandwidth = try Bandwidth.measure(threads: count, patience: patience).gigabytesPerSecond
      show("memory, \(counted(count)): \(fixed(bandwidth, 1)) GB/s")
      for type in types {
        let peak = try Peak.measure(type, threads: count, patience: patience)
        limits.append(
          Limits(type: type, threads: count, roofline: Roofline(peak: peak, bandwidth: bandwidth), least: peak.gflops))
        show(line(limits.last!))
      }
    }
    noteLoad()
    lastPeak = .now
  }

  /// Between two rows.
  mutating func measureAgainIfDue() throws {
    guard (ContinuousClock.now - lastPeak) / .seconds(1) >= Self.secondsBetween else { return }
    try measureAgain(Patience(repetitions: 5, seconds: 0, limit: 0.1, least: 3))
  }

  private mutating func measureAgain(_ patience: Patience) throws {
    for count in threads {
      let bandwidth = try Bandwidth.measure(threads: count, patience: patience).gigabytesPerSecond
      for index in limits.indices where limits[index].threads == count {
        limits[index].see(try Peak.measure(limits[index].type, threads: count, patience: patience), bandwidth)
      }
    }
    noteLoad()
    lastPeak = .now
  }

  /// Measures the peaks once more, and says whether the machine was as busy at the end as it was at the start.
  /// - Returns: the rows below the best of all.
  mutating func finish(_ results: Results) throws -> Results {
    show("")
    try measureAgain(patience)
    for limit in limits {
      show("\(line(limit)), \(fixed(limit.roofline.bandwidth, 1)) GB/s")
      if let warning = BLASLibrary.warning(limit.roofline.limits, limit.conditions) { show(warning) }
      let drift = limit.roofline.peak / limit.least - 1
      if drift > 0.1 {
        show(
          "warning: the peak moved by \(fixed(100 * drift, 0))% during the run: the machine was busy, and so may rows "
            + "have been; files have the best of it")
      }
    }
    show("load \(fixed(Machine.load, 2)), at most \(fixed(loads.max() ?? .nan, 2))")
    var results = results
    for index in results.measurements.indices {
      let row = results.measurements[index]
      results.measurements[index].roofline = roofline(of: row.precision, row.threads)
    }
    results.loads = loads
    return results
  }

  func roofline(of type: Reference.Precision, _ threads: Int32) -> Roofline {
    limits.first { $0.type == type && $0.threads == threads }!.roofline
  }

  private mutating func noteLoad() { loads.append(Machine.load) }

  private func line(_ limit: Limits) -> String {
    let peak = limit.roofline.limits
    return "peak \(limit.conditions): \(fixed(peak.gflops, 1)) GFLOP/s (multiply-adds \(fixed(peak.arithmetic, 1)), "
      + "\(limit.type == .float ? "sgemm" : "dgemm") 2048 \(fixed(peak.product, 1)))"
  }
}

/// The limits of a precision with so many threads.
struct Limits: Sendable {
  let type: Reference.Precision
  let threads: Int32
  var roofline: Roofline
  /// The least peak that was measured.
  var least: Double

  var conditions: String { "\(type), \(counted(threads))" }

  mutating func see(_ peak: Peak, _ bandwidth: Double) {
    least = min(least, peak.gflops)
    roofline = Roofline(peak: roofline.limits.best(peak), bandwidth: max(roofline.bandwidth, bandwidth))
  }
}
