import ArgumentParser
import FisherKit

/// The files that a run was asked for. They are opened before it starts, so that a run of minutes does not end with a
/// folder that is not there.
struct Reports {
  private var files: [String: WholeFile] = [:]

  init(_ wanted: [(option: String, path: String?)]) throws {
    for (option, path) in wanted {
      guard let path else { continue }
      do {
        files[option] = try WholeFile(path: path)
      } catch {
        abandon()
        if error.cause == .failedWriting { throw BenchError.report(option: option, error) }
        throw ValidationError("\(option): \(error)")
      }
    }
  }

  func write(_ option: String, _ text: () throws -> String) throws {
    guard let file = files[option] else { return }
    let text = try text()
    do {
      try file.write(text)
      try file.finish()
    } catch {
      throw BenchError.report(option: option, error)
    }
  }

  /// What is not written yet leaves nothing behind.
  func abandon() {
    for file in files.values { file.abandon() }
  }
}
