/// What limits a call: the arithmetic, or moving its operands.
struct Roofline: Sendable {
  /// Of the same precision and threads, in the same run.
  let limits: Peak
  /// GB/s from memory, with as many threads.
  let bandwidth: Double

  init(peak: Peak, bandwidth: Double) { (limits, self.bandwidth) = (peak, bandwidth) }

  enum Bound: String, Sendable { case compute, memory }

  /// GFLOP/s.
  var peak: Double { limits.gflops }

  /// GFLOP/s that a kernel can reach which does `intensity` operations for each byte it must move.
  func attainable(intensity: Double) -> Double { min(peak, bandwidth * intensity) }

  func bound(intensity: Double) -> Bound { bandwidth * intensity < peak ? .memory : .compute }

  /// The intensity where one bound becomes the other.
  var ridge: Double { peak / bandwidth }
}
