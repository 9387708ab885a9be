import FisherKit
import Foundation

/// The JSON lines of a run. They go to FILE.partial, whole lines at a time, and the file takes its name when the run is
/// done: FILE is never half a run, and a run that fails leaves an older FILE alone.
final class RunLog {
  private let path: String
  private let partialPath: String
  private let file: FileHandle
  private var lines = 0

  init(path: String) throws {
    self.path = path
    partialPath = path + ".partial"
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      throw LogError("--log: \(path): expected a file name, found a folder", status: Failure.wrongCommandLine)
    }
    let descriptor = open(partialPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else {
      throw LogError(
        "--log: \(partialPath): expected a file that can be written, found: \(String(cString: strerror(errno)))",
        status: Failure.wrongCommandLine)
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  func record(_ event: TrainingEvent) throws {
    switch event {
    case .epoch(let report):
      try write(
        """
        {"epoch":\(report.epoch),"step":\(report.step),"seconds":\(report.seconds),\
        "train_loss":\(report.training.loss),"train_error":\(1 - report.training.accuracy),\
        "validation_loss":\(report.validation.loss),"validation_accuracy":\(report.validation.accuracy)}
        """)
    case .finished(let test):
      try write(
        """
        {"test_loss":\(test.loss),"test_accuracy":\(test.accuracy),"peak_memory_bytes":\(peakMemoryBytes())}
        """)
    case .began, .step, .survived: break
    }
  }

  private func write(_ line: String) throws {
    do {
      try file.write(contentsOf: Data((line + "\n").utf8))
    } catch {
      throw LogError(
        "--log: \(partialPath): expected room for a line, found: \(error.localizedDescription)",
        status: Failure.internalFailure)
    }
    lines += 1
  }

  func finish() throws {
    try file.close()
    guard rename(partialPath, path) == 0 else {
      throw LogError(
        "--log: \(path): expected to rename \(partialPath) to it, found: \(String(cString: strerror(errno)))",
        status: Failure.internalFailure)
    }
  }

  /// Ends the log of a run that failed: without an epoch in it, it goes; with some, it stays as FILE.partial.
  func abandon(after error: any Error) -> any Error {
    if lines == 0 { unlink(partialPath) }
    return error
  }
}

/// The log could not be written.
struct LogError: Error, CustomStringConvertible {
  let description: String
  let status: Int32

  init(_ description: String, status: Int32) {
    self.description = description
    self.status = status
  }
}

/// The most memory that this process has held.
func peakMemoryBytes() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #endif
}
