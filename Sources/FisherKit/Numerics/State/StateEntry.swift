/// What is kept under one name: its kind, precision and shape.
public struct StateEntry: Equatable, Sendable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    /// The rows of a matrix that are in use, without padding.
    case matrix = 1
    /// Blocks as ``BlockBatch`` has them, whole groups of lanes.
    case blocks = 2
    /// Elements in an order of their own.
    case buffer = 3
    case list = 4
    case number = 5
    case text = 6
  }

  public enum Element: UInt8, Sendable, CaseIterable {
    case float32 = 1
    case float64 = 2
    case int32 = 3
    case int64 = 4
    case uint64 = 5
    /// 0 or 1 in a byte.
    case flag = 6
    /// UTF-8
    case character = 7

    public var width: Int {
      switch self {
      case .float32, .int32: 4
      case .float64, .int64, .uint64: 8
      case .flag, .character: 1
      }
    }
  }

  public var name: String
  public var kind: Kind
  public var element: Element
  /// Rows and columns; count and order; a count; nothing, of a number.
  public var shape: [Int]
  /// Of all elements.
  public var bytes: Int

  init(_ name: String, _ kind: Kind, _ element: Element, shape: [Int], bytes: Int) {
    (self.name, self.kind, self.element, self.shape, self.bytes) = (name, kind, element, shape, bytes)
  }
}

extension StateEntry: CustomStringConvertible {
  /// Such as "matrix of float32, 80 × 785".
  public var description: String { Self.describe(kind, element, shape.map(String.init)) }

  static func describe(_ kind: Kind, _ element: Element, _ shape: [String]) -> String {
    let size = shape.isEmpty ? "" : ", " + shape.joined(separator: " × ")
    return "\(kind) of \(element)\(size)"
  }
}

/// A number that lists and members are made of: `Double`, `Float`, `Int`, `Int32`, `UInt64`. No other type can conform.
public protocol StateNumber: BitwiseCopyable, Sendable {
  static var _stateElement: StateEntry.Element { get }
  init()
}

extension Double: StateNumber { public static var _stateElement: StateEntry.Element { .float64 } }
extension Float: StateNumber { public static var _stateElement: StateEntry.Element { .float32 } }
extension Int: StateNumber { public static var _stateElement: StateEntry.Element { .int64 } }
extension Int32: StateNumber { public static var _stateElement: StateEntry.Element { .int32 } }
extension UInt64: StateNumber { public static var _stateElement: StateEntry.Element { .uint64 } }

/// Where elements are in memory: some rows of so many bytes, at a stride. They are written as they are, so that a NaN keeps
/// its bits and a zero its sign.
struct StateMemory {
  let base: UnsafeMutableRawPointer
  let rows: Int
  let rowBytes: Int
  let stride: Int

  init(_ base: UnsafeMutableRawPointer, bytes: Int) {
    self.init(base, rows: bytes > 0 ? 1 : 0, rowBytes: bytes, stride: bytes)
  }

  init(_ base: UnsafeMutableRawPointer, rows: Int, rowBytes: Int, stride: Int) {
    (self.base, self.rows, self.rowBytes, self.stride) = (base, rowBytes > 0 ? rows : 0, rowBytes, stride)
  }

  var bytes: Int { rows * rowBytes }

  func row(_ index: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + index * stride, count: rowBytes)
  }
}

/// Takes what a visit shows: each entry, then its bytes, in as many pieces as there may be.
protocol StateSink: AnyObject {
  func begin(_ entry: StateEntry) throws
  func write(_ bytes: UnsafeRawBufferPointer) throws
}

/// Has what a visit showed.
protocol StateSource: AnyObject {
  var entries: [StateEntry] { get }
  /// Fills the buffer with bytes of an entry from `offset` on; there are as many.
  func read(_ entry: Int, from offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
}

/// Keeps the entries alone.
final class StateTable: StateSink {
  private(set) var entries: [StateEntry] = []

  init(of object: some State) throws { try StateVisitor(.saving(self)).save(object) }

  func begin(_ entry: StateEntry) { entries.append(entry) }
  func write(_ bytes: UnsafeRawBufferPointer) {}
}
