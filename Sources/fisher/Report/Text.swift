import FisherKit
import Foundation

/// Numbers as people read them.
enum Text {
  static func number(_ value: Double, digits: Int = 4) -> String {
    // a loss that ran away
    abs(value) < 1e6 ? fixed(value, digits) : short(value)
  }

  /// With its sign, also where it is 0.
  static func signed(_ value: Double, digits: Int = 4) -> String { String(format: "%+.\(digits)f", value) }

  static func percent(_ fraction: Double, digits: Int = 2) -> String {
    "\(fixed(100 * fraction, digits)) %"
  }

  /// A rate that a log does not tell stands as 0 in it.
  static func rate(_ value: Double) -> String { value == 0 ? "not recorded" : short(value, 6) }

  static func seconds(_ value: Double) -> String {
    fixed(value, value < 100 ? 2 : 0) + " s"
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
