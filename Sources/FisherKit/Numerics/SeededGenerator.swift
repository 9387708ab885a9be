/// The SplitMix64 generator (Steele, Lea & Flood 2014), with its own conversions, so that a seed gives the same numbers
/// on every platform and with every version of the standard library.
public struct SeededGenerator: RandomNumberGenerator, StateValue, Sendable {
  private var state: UInt64

  /// What the numbers are for. Each use of one seed has a stream of its own, so that changing how many numbers one use
  /// takes leaves the others alone.
  public enum Stream: UInt64, Sendable {
    case initialisation = 1
    case shuffling = 2
    case synthesis = 3
    case windows = 4
    case settings = 5
  }

  public init(seed: UInt64, stream: Stream = .initialisation) {
    state = seed
    state = next() ^ (stream.rawValue &* 0xD1B5_4A32_D192_ED03)
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  public mutating func visit(_ visitor: StateVisitor) throws { try visitor.visit("state", &state) }

  /// Uniform in [0, 1), with 53 random bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in 0 ..< bound, without bias (Lemire 2019).
  public mutating func uniform(below bound: Int) -> Int {
    demand(bound > 0, "an empty range has no number")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// Shuffles in place (Fisher–Yates).
  public mutating func shuffle<T>(_ elements: inout [T]) {
    guard elements.count > 1 else { return }
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(i, uniform(below: i + 1))
    }
  }
}
