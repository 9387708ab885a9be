/// Shapes of one kernel that differ in one size only, each a step further by the same factor, or one shape whose threads
/// differ. They are large enough for the work to outweigh what a call costs in any case.
struct Sweep: Sendable {
  enum Size: String, Sendable { case d, m, n, threads }

  let size: Size
  let shapes: [Shape]

  static func d(_ values: [Int], m: Int, n: Int? = nil) -> Sweep {
    Sweep(size: .d, shapes: values.map { Shape(d: $0, m: m, n: n) })
  }

  static func m(_ values: [Int], d: Int, n: Int? = nil) -> Sweep {
    Sweep(size: .m, shapes: values.map { Shape(d: d, m: $0, n: n) })
  }

  static func n(_ values: [Int], d: Int, m: Int) -> Sweep {
    Sweep(size: .n, shapes: values.map { Shape(d: d, m: m, n: $0) })
  }

  static func threads(_ shape: Shape) -> Sweep { Sweep(size: .threads, shapes: [shape]) }

  /// The value of the size that differs.
  func value(of measurement: Measurement) -> Int {
    switch size {
    case .d: measurement.shape.d ?? 0
    case .m: measurement.shape.m ?? 0
    case .n: measurement.shape.n ?? 0
    case .threads: Int(measurement.threads)
    }
  }
}

/// from, 2 from, 4 from ... up to `through`.
func doublings(from: Int, through: Int) -> [Int] {
  Array(sequence(first: from) { $0 * 2 <= through ? $0 * 2 : nil })
}
