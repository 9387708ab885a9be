/// What limits a call: the arithmetic, at most the matrix product's peak, or moving its operands.
struct Roofline: Sendable {
  /// GFLOP/s of the matrix product, of the same precision and threads, in the same run.
  let peak: Double
  /// GB/s from memory, with as many threads.
  let bandwidth: Double

  enum Bound: String, Sendable { case compute, memory }

  /// GFLOP/s that a kernel can reach which does `intensity` operations for each byte it must move.
  func attainable(intensity: Double) -> Double { min(peak, bandwidth * intensity) }

  func bound(intensity: Double) -> Bound { bandwidth * intensity < peak ? .memory : .compute }

  /// The intensity where one bound becomes the other.
  var ridge: Double { peak / bandwidth }
}
