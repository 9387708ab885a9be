internal import CZlib
import Foundation

/// Reads a file front to back, gzip or plain: zlib tells by the first bytes.
struct GzipReader: ~Copyable {
  private let file: gzFile
  private let path: String

  init(path: String) throws(DataError) {
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      throw DataError(path, expected: "a file", found: "a folder")
    }
    guard let file = gzopen(path, "rb") else {
      throw DataError(path, expected: "a readable file", found: String(cString: strerror(errno)))
    }
    gzbuffer(file, 1 << 17)
    self.file = file
    self.path = path
  }

  deinit { gzclose_r(file) }

  /// The next bytes, at most `count`; fewer only at the end of the file.
  func read(_ count: Int) throws(DataError) -> [UInt8] {
    var bytes: [UInt8] = []
    // What a header claims is not allocated before it has been seen to be there.
    let chunk = 1 << 22
    while bytes.count < count {
      let wanted = min(chunk, count - bytes.count)
      // (an array that grows is there twice, the new one up to twice as large)
      if bytes.count + wanted > bytes.capacity, let available = availableMemory(), available < 2 * bytes.count + chunk {
        throw DataError(
          path, expected: "no more than fits the memory", found: "more than \(bytes.count) bytes of \(count)")
      }
      var got: Int32 = 0
      let part = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
        got = gzread(file, buffer.baseAddress, UInt32(wanted))
        initialized = max(0, Int(got))
      }
      bytes += part
      var code: Int32 = Z_OK
      let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
      guard got >= 0, code == Z_OK || code == Z_BUF_ERROR else {
        throw DataError(path, expected: "gzip data or a plain file", found: "damaged data (\(message))")
      }
      if code == Z_BUF_ERROR {
        throw DataError(path, expected: "a whole gzip file", found: "one cut short")
      }
      if got < wanted { break }
    }
    return bytes
  }
}
