import FisherKit
import FisherKitTestSupport
import Foundation

/// Memory for an operand, on a cache line. Until it is written it holds NaNs, which no check would let pass.
final class Operand<T: BenchScalar> {
  let count: Int
  let pointer: UnsafeMutablePointer<T>

  init(count: Int) {
    self.count = count
    let byteCount = max(count, 1) * MemoryLayout<T>.stride
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    memset(bytes, 0xff, byteCount)
    pointer = bytes.bindMemory(to: T.self, capacity: max(count, 1))
  }

  convenience init(_ numbers: [Double]) {
    self.init(count: numbers.count)
    T.narrow(numbers[...], to: pointer)
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  var byteCount: Double { Double(count * MemoryLayout<T>.stride) }

  /// The numbers as the kernel sees them, widened.
  var numbers: [Double] { self[0..<count] }

  subscript(range: Range<Int>) -> [Double] {
    T.widen(UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count))
  }

  func fill(with number: T) { pointer.update(repeating: number, count: count) }

  func copy(from source: Operand<T>) { memcpy(pointer, source.pointer, count * MemoryLayout<T>.stride) }
}

/// Work space of a kernel.
final class Scratch {
  let size: Int
  let pointer: UnsafeMutableRawPointer

  init(_ size: Int) {
    self.size = size
    pointer = .allocate(byteCount: max(size, 1), alignment: 64)
  }

  deinit { pointer.deallocate() }
}
