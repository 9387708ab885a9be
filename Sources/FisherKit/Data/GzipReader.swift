internal import CFisherKitZlib
import Foundation

/// Reads a file front to back, gzip or plain: zlib tells by the first bytes, and leaves out what follows the gzip data.
struct GzipReader: ~Copyable {
  private let file: gzFile
  private let path: String
  /// Bytes of the file as it lies on the disk.
  let size: Int

  /// No deflate stream is that many times as long when it is unpacked.
  static let greatestRatio = 1032

  init(path: String) throws(DataError) {
    let source = try SizedFile(path: path)
    let descriptor = try source.duplicate()
    guard let file = gzdopen(descriptor, "rb") else {
      close(descriptor)
      throw DataError(path, expected: "a readable file", found: "no memory for reading it")
    }
    gzbuffer(file, 1 << 17)
    self.file = file
    self.path = path
    size = source.size
  }

  deinit { gzclose_r(file) }

  /// Whether what is read is in the file as it is.
  var isPlain: Bool { gzdirect(file) == 1 }

  /// The next bytes, at most `count`; fewer only at the end of the file. What a header claims is not allocated before it
  /// has been seen to be there.
  func read(_ count: Int) throws(DataError) -> [UInt8] {
    var bytes: [UInt8] = []
    if isPlain {
      try requireRoom(min(count, size))
      bytes.reserveCapacity(min(count, size))
    }
    while bytes.count < count {
      let wanted = min(Self.chunk, count - bytes.count)
      // (an array that grows is there twice, the new one up to twice as large)
      if bytes.count + wanted > bytes.capacity { try requireRoom(3 * bytes.count + Self.chunk) }
      let part = try next(wanted)
      bytes += part
      if part.count < wanted { break }
    }
    return bytes
  }

  /// (Linux grants more than there is, and kills the process that uses it)
  private func requireRoom(_ bytes: Int) throws(DataError) {
    guard bytes < 1 << 26 || availableMemory().map({ bytes <= $0 }) ?? true else {
      throw DataError(path, expected: "no more than fits the memory", found: "\(bytes) bytes to hold")
    }
  }

  /// How many bytes there are from here to the end, none of them kept.
  func countRest() throws(DataError) -> Int {
    var count = 0
    while true {
      let part = try next(Self.chunk)
      count += part.count
      if part.count < Self.chunk { return count }
    }
  }

  private static let chunk = 1 << 18

  private func next(_ wanted: Int) throws(DataError) -> [UInt8] {
    var got: Int32 = 0
    let part = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
      got = gzread(file, buffer.baseAddress, UInt32(wanted))
      initialized = max(0, Int(got))
    }
    var code: Int32 = Z_OK
    let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
    guard got >= 0, code == Z_OK || code == Z_BUF_ERROR else {
      // (zlib names the descriptor first)
      let reason = message.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? message
      throw DataError(path, expected: "gzip data or a plain file", found: "damaged data (\(reason))")
    }
    guard code == Z_OK else { throw DataError(path, expected: "a whole gzip file", found: "one cut short") }
    return part
  }
}
