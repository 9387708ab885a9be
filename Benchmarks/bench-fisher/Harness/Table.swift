import Foundation

/// The rows as a person reads them, each as soon as it is there.
enum Table {
  static let header =
    pad("kernel", -28) + pad("shape", -25) + pad("type", -7) + pad("median", 11) + pad("spread", 8)
    + pad("GFLOP/s", 9) + pad("of peak", 9) + pad("GB/s", 8) + pad("error", 10)

  static func row(_ measurement: Measurement) -> String {
    let name =
      pad(measurement.kernel, -28) + pad("\(measurement.shape)", -25) + pad("\(measurement.precision)", -7)
    switch measurement.outcome {
    case .failed(let reason): return name + "FAILED: \(reason)"
    case .timed(let timing, let error):
      return name + pad(duration(timing.median), 11) + pad(percent(timing.spread), 8)
        + pad(fixed(measurement.gflops!, 1), 9) + pad(fixed(measurement.fractionOfPeak!, 3), 9)
        + pad(fixed(measurement.gigabytesPerSecond!, 1), 8) + pad(String(format: "%.1e", error), 10)
    }
  }

  static func fixed(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
  private static func percent(_ share: Double) -> String { fixed(100 * share, 0) + "%" }

  private static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: fixed(seconds * 1e6, 1) + " µs"
    case ..<1: fixed(seconds * 1e3, 2) + " ms"
    default: fixed(seconds, 2) + " s"
    }
  }

  /// Fills up with spaces: on the left, or on the right for a negative width; one at least.
  private static func pad(_ text: String, _ width: Int) -> String {
    let spaces = String(repeating: " ", count: max(1, abs(width) - text.count))
    return width < 0 ? text + spaces : spaces + text
  }
}
