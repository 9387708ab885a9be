import FisherKitTestSupport
import Foundation
import Testing

/// A matrix as a kernel sees it, wherever its rows are.
struct Rows<T: KernelPrecision> {
  let pointer: UnsafeMutablePointer<T>
  let leadingDimension: Int
  let elements: () -> [Double]
}

/// Where the rows of a kernel's matrices lie.
enum Placement: CaseIterable, Sendable {
  /// On a cache line, without gaps.
  case packed
  /// Aligned for an element and no better, with gaps.
  case strided
  /// More than 2³² elements apart: an offset that is computed in 32 bits leads elsewhere. The address space is
  /// reserved, memory is taken for the pages that are touched only.
  case far

  func rows<T: KernelPrecision>(_ elements: [Double]? = nil, _ rows: Int, _ columns: Int) -> Rows<T> {
    switch self {
    case .packed, .strided:
      let matrix = GuardedMatrix<T>(
        elements, rows: rows, columns: columns, layout: self == .packed ? .packed : .strided)
      return Rows(
        pointer: matrix.pointer, leadingDimension: matrix.leadingDimension,
        elements: {
          expectIntact([matrix], "\(rows) rows of \(columns), \(self)")
          return matrix.elements
        })
    case .far:
      let matrix = FarMatrix<T>(rows: rows, columns: columns)
      if let elements { matrix.assign(elements) }
      return Rows(
        pointer: matrix.pointer, leadingDimension: FarMatrix<T>.leadingDimension, elements: { matrix.elements })
    }
  }
}

private final class FarMatrix<T: KernelPrecision> {
  static var leadingDimension: Int { (1 << 32) + 3 }
  let pointer: UnsafeMutablePointer<T>
  private let rows: Int
  private let columns: Int
  private let memory: UnsafeMutableRawPointer
  private let bytes: Int

  init(rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    bytes = max(rows, 1) * Self.leadingDimension * MemoryLayout<T>.stride
    #if os(Linux)
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    #else
      let flags = MAP_PRIVATE | MAP_ANON
    #endif
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
      fatalError("\(bytes) bytes of address space were refused")
    }
    self.memory = memory
    pointer = memory.assumingMemoryBound(to: T.self)
  }

  deinit { munmap(memory, bytes) }

  func assign(_ elements: [Double]) {
    for row in 0..<rows {
      T.narrow(elements[row * columns..<(row + 1) * columns], to: pointer + row * Self.leadingDimension)
    }
  }

  var elements: [Double] {
    (0..<rows).flatMap {
      T.widen(UnsafeBufferPointer(start: pointer + $0 * Self.leadingDimension, count: columns))
    }
  }
}
