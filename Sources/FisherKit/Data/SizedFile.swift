import Foundation

/// Reads a file front to back whose size is known before any of it is read, so that what a header claims can be compared
/// with what is there before it is allocated. A pipe or a device has no size, and is refused.
struct SizedFile: ~Copyable {
  let path: String
  /// Bytes.
  let size: Int
  private let descriptor: Int32

  init(path: String) throws(DataError) {
    guard !path.isEmpty else { throw DataError("\"\"", expected: "a file name", found: "an empty one") }
    // (asked before it is opened: to open a pipe is to wait for its other end)
    var status = stat()
    guard stat(path, &status) == 0 else { throw Self.unreadable(path, errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw DataError(path, expected: "a file", found: "a folder")
    default: throw DataError(path, expected: "a file", found: "a pipe or a device")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw Self.unreadable(path, code)
    }
    self.path = path
    self.size = Int(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the next bytes.
  /// - Returns: how many there were; fewer than `buffer` holds only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    var count = 0
    while count < buffer.count {
      // (no system reads more than 2 GiB at once)
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<min(buffer.count, count + 1 << 30)])
      let got = Foundation.read(descriptor, rest.baseAddress, rest.count)
      if got == 0 { break }
      if got > 0 {
        count += got
      } else if errno != EINTR {
        throw Self.unreadable(path, errno)
      }
    }
    return count
  }

  /// Fills `buffer` with the bytes from `offset` on, wherever else is being read.
  /// - Returns: how many there were; fewer than `buffer` holds only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DataError) -> Int {
    var count = 0
    while count < buffer.count {
      let got = pread(
        descriptor, buffer.baseAddress! + count, min(buffer.count - count, 1 << 30), off_t(offset + count))
      if got == 0 { break }
      guard got >= 0 || errno == EINTR else { throw Self.unreadable(path, errno) }
      count += max(0, got)
    }
    return count
  }

  /// The next bytes, at most `count`; fewer only at the end of the file. For small pieces, such as a header.
  func read(_ count: Int) throws(DataError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(DataError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return Array(bytes.prefix(got))
  }

  /// A descriptor of its own for another reader of the same file.
  func duplicate() throws(DataError) -> Int32 {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw Self.unreadable(path, errno) }
    return copy
  }

  private static func unreadable(_ path: String, _ code: Int32) -> DataError {
    DataError(path, expected: "a readable file", found: String(cString: strerror(code)))
  }
}
