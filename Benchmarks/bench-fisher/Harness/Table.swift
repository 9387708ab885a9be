import FisherKit
import Foundation

/// The rows as a person reads them, each as soon as it is there.
enum Table {
  static func header(withPeer: Bool) -> String {
    pad("kernel", -28) + pad("shape", -33) + pad("type", -7) + pad("P", 2) + pad("median", 11) + pad("spread", 8)
      + pad("GFLOP/s", 9) + pad("of peak", 9) + pad("bound", 9) + pad("of bound", 10) + pad("GB/s", 8)
      + pad("error", 10) + (withPeer ? pad("PyTorch", 11) + pad("ratio", 8) + "  formulation" : "")
  }

  static func row(_ measurement: Measurement) -> String {
    let name =
      pad(measurement.kernel, -28) + pad("\(measurement.shape)", -33) + pad("\(measurement.precision)", -7)
      + pad("\(measurement.threads)", 2)
    switch measurement.outcome {
    case .failed(let reason): return name + "  FAILED: \(reason)"
    case .timed(let timing, let error):
      return name + pad(duration(timing.median), 11) + pad(percent(timing.spread), 8)
        + pad(fixed(measurement.gflops!, 1), 9) + pad(fixed(measurement.fractionOfPeak!, 3), 9)
        + pad(measurement.bound.rawValue, 9) + pad(fixed(measurement.fractionOfAttainable!, 3), 10)
        + pad(fixed(measurement.gigabytesPerSecond!, 1), 8) + pad(scientific(error), 10) + peer(measurement)
    }
  }

  private static func peer(_ measurement: Measurement) -> String {
    guard let answer = measurement.peer, let ratio = measurement.peerRatio else { return "" }
    return pad(duration(answer.seconds), 11) + pad(fixed(ratio, 2) + "x", 8) + "  " + answer.formulation
  }

  static func scientific(_ number: Double) -> String { String(format: "%.1e", number) }
  static func percent(_ share: Double) -> String { fixed(100 * share, 0) + "%" }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: fixed(seconds * 1e6, 1) + " µs"
    case ..<1: fixed(seconds * 1e3, 2) + " ms"
    default: fixed(seconds, 2) + " s"
    }
  }

  /// Columns that are too narrow stay apart.
  static func pad(_ text: String, _ width: Int) -> String { FisherKit.pad(text, width, least: 1) }
}
