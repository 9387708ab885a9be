/// The largest error of a result, where it is, and whether that is allowed.
public struct Comparison: Sendable, CustomStringConvertible {
  public let error: Double
  public let tolerance: Double
  /// The place of the largest error, counted in elements.
  public let index: Int
  public let actual: Double
  public let expected: Double

  public var isAllowed: Bool { error <= tolerance }

  public var description: String {
    "element \(index) is \(actual), expected \(expected): relative error \(error), allowed \(tolerance)"
  }

  /// Relative to the largest magnitude expected, or to `scale` where cancellation makes that too small.
  public static func normwise(
    _ actual: [Double], _ expected: [Double], scale: Double? = nil, tolerance: Double
  ) -> Comparison {
    let finite = expected.filter(\.isFinite)
    let scale = max(scale ?? 0, Reference.maximumNorm(finite))
    return largest(actual, expected, tolerance) { _ in scale }
  }

  /// Each element relative to itself, or to `scales` of its own. Differences of at most `floor`, a few of the smallest
  /// denormals, are none.
  public static func elementwise(
    _ actual: [Double], _ expected: [Double], scales: [Double]? = nil, floor: Double = 0, tolerance: Double
  ) -> Comparison {
    if let scales {
      return largest(actual, expected, tolerance, floor: floor) { abs(scales[$0]) }
    }
    return largest(actual, expected, tolerance, floor: floor) { abs(expected[$0]) }
  }

  /// The backward error of x as a solution of A x = v, relative already; `index` is where x starts in its matrix.
  public static func backward(
    _ a: [Double], x: [Double], v: [Double], d: Int, at index: Int = 0, tolerance: Double
  ) -> Comparison {
    let error = Reference.backwardError(a, x: x, v: v, d: d)
    return Comparison(error: error, tolerance: tolerance, index: index, actual: error, expected: 0)
  }

  /// A B against the identity: B as the inverse of A.
  public static func inverse(_ a: [Double], _ b: [Double], d: Int, tolerance: Double) -> Comparison {
    normwise(Reference.gemm(a: a, b: b, m: d, n: d, k: d), Reference.identity(d), tolerance: tolerance)
  }

  private static func largest(
    _ actual: [Double], _ expected: [Double], _ tolerance: Double, floor: Double = 0, scale: (Int) -> Double
  ) -> Comparison {
    guard actual.count == expected.count else {
      return Comparison(
        error: .infinity, tolerance: tolerance, index: min(actual.count, expected.count),
        actual: Double(actual.count), expected: Double(expected.count))
    }
    var worst = Comparison(error: 0, tolerance: tolerance, index: 0, actual: 0, expected: 0)
    for i in actual.indices {
      let error = difference(actual[i], expected[i], floor: floor, scale: scale(i))
      if error > worst.error {
        worst = Comparison(error: error, tolerance: tolerance, index: i, actual: actual[i], expected: expected[i])
      }
    }
    return worst
  }

  /// Only a NaN matches a NaN, only the same infinity an infinity.
  private static func difference(_ actual: Double, _ expected: Double, floor: Double, scale: Double) -> Double {
    if actual == expected || (actual.isNaN && expected.isNaN) { return 0 }
    guard actual.isFinite, expected.isFinite else { return .infinity }
    let difference = abs(actual - expected)
    return difference <= floor ? 0 : difference / scale
  }
}
