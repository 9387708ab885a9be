import Foundation

// How numbers and words stand in the tables of the library and its tools.

/// Filled up with spaces: on the left, or on the right for a negative width; with `least` of them at least.
package func pad(_ text: String, _ width: Int, least: Int = 0) -> String {
  let spaces = String(repeating: " ", count: max(least, abs(width) - text.count))
  return width < 0 ? text + spaces : spaces + text
}

/// With so many digits after the point.
package func fixed(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }

/// With so many significant digits at most.
package func short(_ number: Double, _ digits: Int = 4) -> String { String(format: "%.\(digits)g", number) }
