import Foundation

/// y = c x^exponent, by least squares of the logarithms.
struct PowerFit: Sendable {
  let exponent: Double
  let coefficient: Double

  /// Nil where no line can be laid: fewer than two different x, or a number that is not positive.
  init?(_ points: [(x: Double, y: Double)]) {
    guard points.allSatisfy({ $0.x > 0 && $0.y > 0 && $0.x.isFinite && $0.y.isFinite }) else { return nil }
    let logarithms = points.map { (x: log($0.x), y: log($0.y)) }
    let count = Double(points.count)
    let mean = (
      x: logarithms.reduce(0) { $0 + $1.x } / count,
      y: logarithms.reduce(0) { $0 + $1.y } / count
    )
    let spread = logarithms.reduce(0) { $0 + ($1.x - mean.x) * ($1.x - mean.x) }
    guard spread > 1e-12 else { return nil }
    exponent = logarithms.reduce(0) { $0 + ($1.x - mean.x) * ($1.y - mean.y) } / spread
    coefficient = exp(mean.y - exponent * mean.x)
  }
}
