import Foundation

/// Numbers as people read them.
enum Text {
  static func number(_ value: Double, digits: Int = 4) -> String {
    // a loss that ran away
    String(format: abs(value) < 1e6 ? "%.\(digits)f" : "%.4g", value)
  }
  static func short(_ value: Double, digits: Int = 4) -> String { String(format: "%.\(digits)g", value) }

  /// With its sign, also where it is 0.
  static func signed(_ value: Double, digits: Int = 4) -> String { String(format: "%+.\(digits)f", value) }

  static func percent(_ fraction: Double, digits: Int = 2) -> String {
    String(format: "%.\(digits)f %%", 100 * fraction)
  }

  /// A rate that a log does not tell stands as 0 in it.
  static func rate(_ value: Double) -> String { value == 0 ? "not recorded" : String(format: "%g", value) }

  static func seconds(_ value: Double) -> String {
    value < 100 ? String(format: "%.2f s", value) : String(format: "%.0f s", value)
  }

  /// "a", "a and b", "a, b and c".
  static func list(_ items: [String]) -> String {
    guard items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + items[items.count - 1]
  }

  static func count(_ n: Int, _ one: String, _ several: String? = nil) -> String {
    "\(n) \(n == 1 ? one : several ?? one + "s")"
  }
}
