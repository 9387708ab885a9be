extension Reference {
  /// The floating-point type a kernel was instantiated for.
  public enum Precision: String, CaseIterable, Sendable, CustomStringConvertible {
    case float, double

    public var description: String { rawValue }

    /// Half the distance from 1 to the next number: the largest relative error of one rounding.
    public var unitRoundoff: Double { self == .float ? 0x1p-24 : 0x1p-53 }

    /// Everything below is denormal and has lost relative accuracy.
    public var smallestNormal: Double { self == .float ? 0x1p-126 : 0x1p-1022 }

    public var smallestDenormal: Double { self == .float ? 0x1p-149 : 0x1p-1074 }

    public var greatestFinite: Double {
      self == .float ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
    }

    /// How many blocks a group of batch-minor storage holds: one cache line.
    public var lanes: Int { self == .float ? 16 : 8 }

    /// The numbers as this precision stores them: what a kernel really is given, and the reference must be too.
    public func round(_ numbers: [Double]) -> [Double] {
      self == .float ? numbers.map { Double(Float($0)) } : numbers
    }

    public func round(_ number: Double) -> Double { self == .float ? Double(Float(number)) : number }
  }
}

/// An element type of the kernels. Its loops are concrete, so that they are compiled with optimisation in this module
/// and stay fast when generic test code in a debug build calls them.
public protocol ReferenceScalar: BinaryFloatingPoint, Sendable {
  static var precision: Reference.Precision { get }
  /// Not a number, with a payload no arithmetic produces: what padding is filled with.
  static var sentinel: Self { get }
  static func isSentinel(_ number: Self) -> Bool
  static func widen(_ numbers: UnsafeBufferPointer<Self>) -> [Double]
  /// Writes the `numbers`, rounded, from `target` on.
  static func narrow(_ numbers: ArraySlice<Double>, to target: UnsafeMutablePointer<Self>)
}

extension ReferenceScalar {
  public static func widen(_ numbers: [Self]) -> [Double] { numbers.withUnsafeBufferPointer { widen($0) } }

  public static func narrow(_ numbers: [Double]) -> [Self] {
    [Self](unsafeUninitializedCapacity: numbers.count) { buffer, count in
      if let base = buffer.baseAddress { narrow(numbers[...], to: base) }
      count = numbers.count
    }
  }
}

extension Float: ReferenceScalar {
  public static var precision: Reference.Precision { .float }
  public static var sentinel: Float { Float(bitPattern: 0x7fc5_a5a5) }
  public static func isSentinel(_ number: Float) -> Bool { number.bitPattern == sentinel.bitPattern }
  public static func widen(_ numbers: UnsafeBufferPointer<Float>) -> [Double] { numbers.map { Double($0) } }
  public static func narrow(_ numbers: ArraySlice<Double>, to target: UnsafeMutablePointer<Float>) {
    for (offset, number) in numbers.enumerated() { target[offset] = Float(number) }
  }
}

extension Double: ReferenceScalar {
  public static var precision: Reference.Precision { .double }
  public static var sentinel: Double { Double(bitPattern: 0x7ff8_a5a5_a5a5_a5a5) }
  public static func isSentinel(_ number: Double) -> Bool { number.bitPattern == sentinel.bitPattern }
  public static func widen(_ numbers: UnsafeBufferPointer<Double>) -> [Double] { Array(numbers) }
  public static func narrow(_ numbers: ArraySlice<Double>, to target: UnsafeMutablePointer<Double>) {
    for (offset, number) in numbers.enumerated() { target[offset] = number }
  }
}
