import Foundation

/// Lines from a child's standard output, waited for no longer than is allowed. Its standard error is read all the while,
/// so that the child never waits for us, and the last line of it is kept: there a Python that dies says why.
final class LineReader {
  enum Result {
    case line(String)
    case ended
    case late
  }

  private let output: Int32
  private let errors: Int32
  private var pending: [UInt8] = []
  private var complaints: [UInt8] = []
  private var outputEnded = false
  private var errorsEnded = false

  /// More than this without an end of line is no answer.
  private static let longest = 1 << 20

  init(output: Int32, errors: Int32) { (self.output, self.errors) = (output, errors) }

  var lastComplaint: String? {
    String(decoding: complaints, as: UTF8.self).split(separator: "\n")
      .last { !$0.allSatisfy(\.isWhitespace) }.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  func next(within seconds: Double) -> Result {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(seconds)
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: pending[..<end], as: UTF8.self)
        pending.removeFirst(end + 1)
        return .line(line)
      }
      if outputEnded && errorsEnded || pending.count > Self.longest { return .ended }
      let left = (deadline - clock.now) / .seconds(1)
      // an end of the output with the errors still open: a little time to say why
      if left <= 0 { return outputEnded ? .ended : .late }
      wait(outputEnded ? min(left, 0.2) : left)
    }
  }

  private func wait(_ seconds: Double) {
    var watched = [
      pollfd(fd: outputEnded ? -1 : output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errorsEnded ? -1 : errors, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&watched, 2, Int32((seconds * 1000).rounded(.up)))
    if count == 0 && outputEnded { errorsEnded = true }
    guard count > 0 else { return }
    if watched[0].revents != 0 { outputEnded = !read(output, into: &pending) }
    if watched[1].revents != 0 {
      errorsEnded = !read(errors, into: &complaints)
      complaints = Array(complaints.suffix(4096))
    }
  }

  /// False at the end.
  private func read(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = Foundation.read(descriptor, &buffer, buffer.count)
    if count > 0 { bytes += buffer[..<count] }
    return count > 0 || count < 0 && errno == EINTR
  }
}
