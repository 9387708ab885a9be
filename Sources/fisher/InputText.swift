import FisherKit
import Foundation

/// All that a file of text holds, or what comes out of a pipe.
/// - Parameters:
///   - what: what it should be, for the message.
///   - limit: the most bytes that it may have; no more is read.
///   - lineLimit: the most bytes without the end of a line.
func readText(
  _ path: String, what: String, limit: Int, lineLimit: Int = .max
) throws(DataError) -> Data {
  let descriptor = try openText(path, what: what)
  defer { close(descriptor) }
  var data = Data()
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  var lineStart = 0
  while true {
    let count = read(descriptor, &piece, piece.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else {
      throw DataError(path, expected: what, found: errno == EISDIR ? "a folder" : String(cString: strerror(errno)))
    }
    if count == 0 { return data }
    if let end = piece[..<count].lastIndex(of: UInt8(ascii: "\n")) { lineStart = data.count + end }
    data.append(contentsOf: piece[..<count])
    guard data.count <= limit else {
      throw DataError(path, expected: "\(what) of at most \(limit) bytes", found: "more")
    }
    guard data.count - lineStart <= lineLimit else {
      throw DataError(path, expected: "\(what) with lines of at most \(lineLimit) bytes", found: "a longer one")
    }
  }
}

private func openText(_ path: String, what: String) throws(DataError) -> Int32 {
  var descriptor = open(path, O_RDONLY | O_CLOEXEC)
  if descriptor < 0, errno == ENXIO, path == "/dev/stdin" {
    // (a socket cannot be opened by its name)
    descriptor = dup(STDIN_FILENO)
  }
  guard descriptor >= 0 else {
    throw DataError(path, expected: what, found: errno == ENOENT ? "none" : "one that cannot be read")
  }
  return descriptor
}
