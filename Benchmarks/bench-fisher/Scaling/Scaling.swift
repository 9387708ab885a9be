/// How the time of a kernel grows with one of its sizes, beside how its flop count does over the same points: d (d + 1)
/// is not quite d^2.
struct Scaling: Sendable {
  struct Point: Sendable {
    var value: Int
    var seconds: Double
    var flops: Double
  }

  let kernel: String
  let precision: String
  let threads: Int32
  let size: Sweep.Size
  let points: [Point]

  /// How far the exponents may lie apart.
  static let tolerance = 0.15

  /// Of a sweep of d, m or n; nil where a row failed.
  init?(_ sweep: Sweep, _ measurements: [Measurement]) {
    guard let first = measurements.first, measurements.allSatisfy({ $0.timing != nil }) else { return nil }
    (kernel, precision, threads, size) = (first.kernel, first.precision.rawValue, first.threads, sweep.size)
    points = measurements.map {
      Point(value: sweep.value(of: $0), seconds: $0.timing!.median, flops: $0.flops)
    }
  }

  init(kernel: String, precision: String, threads: Int32, size: Sweep.Size, points: [Point]) {
    (self.kernel, self.precision, self.threads, self.size) = (kernel, precision, threads, size)
    self.points = points
  }

  var exponent: Double? { PowerFit(points.map { (Double($0.value), $0.seconds) })?.exponent }
  var expected: Double? { PowerFit(points.map { (Double($0.value), $0.flops) })?.exponent }

  var difference: Double? {
    guard let exponent, let expected else { return nil }
    return exponent - expected
  }

  var isWithinTolerance: Bool { difference.map { abs($0) <= Self.tolerance } ?? false }

  /// From one point to the next: how many times the seconds, and how many times the flops.
  var steps: [(seconds: Double, flops: Double)] {
    zip(points, points.dropFirst()).map { ($1.seconds / $0.seconds, $1.flops / $0.flops) }
  }

  /// The seconds of the first point over those of the last: the speed-up, where the threads grow.
  var speedUp: Double { points.first!.seconds / points.last!.seconds }
}
