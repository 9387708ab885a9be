import CKernels
import FisherKitTestSupport
import Testing

/// What every kernel is tested on: a CPU level this machine runs, and a precision.
struct Target: Sendable, CustomStringConvertible {
  let level: Int32
  let precision: Reference.Precision

  static let levels = (0..<fk_level_count()).filter { fk_level_supported($0) != 0 }

  static let all = levels.flatMap { level in
    Reference.Precision.allCases.map { Target(level: level, precision: $0) }
  }

  var description: String { "\(String(cString: fk_level_name(level))) \(precision)" }

  /// Calls `body` with the element type, on the level. The selection belongs to the thread, which a synchronous test
  /// keeps from its first line to its last.
  func run(_ body: (any KernelPrecision.Type) throws -> Void) rethrows {
    try withLevel(level) {
      switch precision {
      case .float: try body(Float.self)
      case .double: try body(Double.self)
      }
    }
  }
}

func withLevel(_ level: Int32, _ body: () throws -> Void) rethrows {
  #expect(fk_level_select(level) == FK_OK)
  defer { fk_level_select(-1) }
  try body()
}

/// Sizes around the widths of all vectors (4, 8, 16), and below them.
enum Sizes {
  static let small = [1, 2, 3, 4, 5, 7, 8, 9]
  static let all = small + [15, 16, 17, 31, 32, 33]
  static let threads: [Int32] = [1, 2, 3]
}
