#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Owner of `count` zero-initialised elements on a 64-byte boundary. The size is checked before it is allocated, and
/// the elements live as long as the buffer does; or a view of elements that somebody else owns, who outlives it.
@usableFromInline
struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable {
  @inlinable static var alignment: Int { 64 }

  @usableFromInline let base: UnsafeMutablePointer<Element>
  let count: Int
  @usableFromInline let isOwner: Bool

  /// - Parameter what: names the buffer in an error.
  init(count: Int, what: @autoclosure () -> String) throws(FisherError) {
    let bytes = try Self.bytes(count: count, what: what())
    var raw: UnsafeMutableRawPointer?
    // Linux grants more than there is, and kills the process that uses it.
    guard bytes < 1 << 26 || availableMemory().map({ bytes <= $0 }) ?? true else {
      throw .outOfMemory(what: what(), bytes: bytes)
    }
    guard posix_memalign(&raw, Self.alignment, max(bytes, Self.alignment)) == 0, let raw else {
      throw .outOfMemory(what: what(), bytes: bytes)
    }
    memset(raw, 0, bytes)
    base = raw.bindMemory(to: Element.self, capacity: max(count, 1))
    self.count = count
    isOwner = true
  }

  /// A view of `count` elements that stay where they are for as long as the view does.
  init(viewing base: UnsafeMutablePointer<Element>, count: Int) {
    (self.base, self.count, isOwner) = (base, count, false)
  }

  // Inlinable, because the compiler inlines the end of a noncopyable value into code that it exports to other modules:
  // Swift 6.3 crashes on it otherwise when it optimises.
  @inlinable deinit { if isOwner { release(base) } }

  static func bytes(count: Int, what: @autoclosure () -> String) throws(FisherError) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard count >= 0, !overflow, bytes <= Int.max - alignment else { throw .sizeOverflow(what: what()) }
    return bytes
  }
}

/// Whoever has a buffer has it alone, or looks at it only.
extension AlignedBuffer: @unchecked Sendable where Element: Sendable {}

@usableFromInline
func release(_ memory: UnsafeMutableRawPointer) { free(memory) }
