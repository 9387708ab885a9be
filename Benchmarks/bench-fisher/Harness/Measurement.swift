import CKernels
import FisherKitTestSupport

/// One row: a kernel at a shape, checked and then timed.
struct Measurement: Sendable {
  let kernel: String
  let shape: Shape
  let precision: Reference.Precision
  /// The CPU level.
  let level: String
  let threads: Int32
  let flops: Double
  let bytes: Double
  /// The limits for the same precision and threads, measured in the same run.
  var roofline: Roofline
  let outcome: Outcome
  /// What PyTorch took, right after.
  var peer: PeerAnswer?

  enum Outcome: Sendable {
    /// Right, by this largest relative error, and timed.
    case timed(Timing, error: Double)
    /// Wrong: what was found. It is not timed.
    case failed(String)
  }

  /// Checks the first call of a kernel and, when it is right, times the calls after it.
  init(
    _ type: any KernelBench.Type, _ shape: Shape, level: String, threads: Int32, roofline: Roofline, patience: Patience
  ) {
    let bench = type.init(shape, threads: threads)
    (kernel, precision) = (type.kernel, type.precision)
    (self.shape, self.level, self.threads, self.roofline) = (shape, level, threads, roofline)
    (flops, bytes) = (bench.flops, bench.bytes)
    outcome = Self.outcome(bench, patience)
  }

  private static func outcome(_ bench: some KernelBench, _ patience: Patience) -> Outcome {
    bench.reset()
    var status = bench.call()
    guard status == FK_OK else { return .failed("expected status 0, found \(status.rawValue)") }
    let comparisons = bench.check()
    if let wrong = comparisons.first(where: { !$0.isAllowed }) { return .failed("\(wrong)") }
    let timing = Timing.measure(patience, reset: bench.reset) {
      let result = bench.call()
      if result != FK_OK { status = result }
    }
    guard status == FK_OK else { return .failed("expected status 0 every time, found \(status.rawValue)") }
    return .timed(timing, error: comparisons.map(\.error).max() ?? 0)
  }

  var gflops: Double? { timing.map { flops / $0.median / 1e9 } }
  var gigabytesPerSecond: Double? { timing.map { bytes / $0.median / 1e9 } }
  var fractionOfPeak: Double? { gflops.map { $0 / roofline.peak } }

  /// Operations for each byte that must be moved.
  var intensity: Double { flops / bytes }
  var bound: Roofline.Bound { roofline.bound(intensity: intensity) }
  /// More than 1 where operands stay in a cache, which is faster than the memory of the roofline.
  var fractionOfAttainable: Double? { gflops.map { $0 / roofline.attainable(intensity: intensity) } }
  /// The seconds that the arithmetic takes at the peak, and the operands at the memory's speed: the floors of a time.
  var secondsAtPeak: Double { flops / roofline.peak / 1e9 }
  var secondsAtBandwidth: Double { bytes / roofline.bandwidth / 1e9 }

  /// How many times as long the best PyTorch formulation takes.
  var peerRatio: Double? {
    guard let peer, let timing else { return nil }
    return peer.seconds / timing.median
  }

  var timing: Timing? {
    guard case .timed(let timing, _) = outcome else { return nil }
    return timing
  }

  var error: Double? {
    guard case .timed(_, let error) = outcome else { return nil }
    return error
  }
}
