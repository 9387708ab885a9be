import FisherKitTestSupport

/// Work space of exactly the size a kernel asked for, filled with NaNs, aligned for an element and no better.
final class WorkSpace {
  let size: Int
  private let bytes: UnsafeMutableRawBufferPointer
  private static let margin = 64
  private static let offset = 8
  private static let fill: UInt8 = 0xff

  init(_ size: Int) {
    precondition(size >= 0)
    self.size = size
    bytes = .allocate(byteCount: size + 2 * WorkSpace.margin, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: WorkSpace.fill)
  }

  deinit { bytes.deallocate() }

  var pointer: UnsafeMutableRawPointer { bytes.baseAddress! + WorkSpace.offset }

  /// Nothing was written before or after it.
  var isIntact: Bool {
    bytes[..<WorkSpace.offset].allSatisfy { $0 == WorkSpace.fill }
      && bytes[(WorkSpace.offset + size)...].allSatisfy { $0 == WorkSpace.fill }
  }
}
