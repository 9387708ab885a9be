import Foundation

/// The standard streams, unbuffered: what is printed appears at once, in a pipe as on a terminal.
package enum Standard {
  /// Gives descriptors 0 to 2 something to be, so that no file that is opened later becomes one of them.
  package static func prepare() {
    while true {
      let descriptor = open("/dev/null", O_RDWR)
      if descriptor > STDERR_FILENO { close(descriptor) }
      if descriptor < 0 || descriptor > STDERR_FILENO { return }
    }
  }

  /// Whether the standard output is a terminal that can be told to draw a line anew.
  package static let canRedraw: Bool = {
    let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
    return isatty(STDOUT_FILENO) != 0 && !terminal.isEmpty && terminal != "dumb"
  }()

  /// Prints to the standard output. Where that cannot be, a run has nobody to tell: it ends with one line and status
  /// 70, without the line when the reader has gone.
  ///
  /// Names that come from files are in it: of what a terminal obeys only the ends of lines are printed as they are.
  package static func print(_ text: String) { printRaw(text.visible(keeping: ["\n"])) }

  /// Prints a document, to the byte unless a terminal would obey it.
  package static func print(document text: String) {
    guard isatty(STDOUT_FILENO) != 0 else { return printRaw(text) }
    printRaw(text.replacingOccurrences(of: "\r\n", with: "\n").visible(keeping: ["\n", "\t"]))
  }

  /// Goes back to the start of the terminal's line and clears it.
  package static func clearLine() { printRaw("\r\u{1B}[K") }

  private static func printRaw(_ text: String) {
    if write(text, to: STDOUT_FILENO) { return }
    if errno != EPIPE {
      let reason = String(cString: strerror(errno))
      printError(line: "standard output: expected room for \(text.utf8.count) bytes, found: \(reason)")
    }
    ToolProcess.end(ExitStatus.failure)
  }

  /// Prints one line to the standard error, after the tool's name; or nowhere.
  package static func printError(line: String) {
    let line = line.visible(keeping: [])
    _ = write("\(ProcessInfo.processInfo.processName): \(line)\n", to: STDERR_FILENO)
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { return false }
      rest = rest.dropFirst(max(0, count))
    }
    return true
  }
}

/// What scripts can rely on.
package enum ExitStatus {
  package static let wrongCommandLine: Int32 = 64
  package static let badData: Int32 = 65
  package static let failure: Int32 = 70
}
