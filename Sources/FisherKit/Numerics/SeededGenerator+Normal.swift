import Foundation

extension SeededGenerator {
  /// Normal with mean 0 and standard deviation 1 (Box–Muller).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }
}
