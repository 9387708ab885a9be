import Foundation

/// Steele, Lea and Flood's SplitMix64: the same numbers on every platform from the same seed.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A uniform number in [0, 1), a multiple of 2^-53.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  public mutating func uniform(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [Double] {
    let width = range.upperBound - range.lowerBound
    return (0..<count).map { _ in range.lowerBound + width * unit() }
  }

  /// Standard normal numbers, by Box and Muller.
  public mutating func normal(_ count: Int) -> [Double] {
    (0..<count).map { _ in (-2 * log(1 - unit())).squareRoot() * cos(2 * Double.pi * unit()) }
  }
}
