import ArgumentParser
import FisherKit
import Foundation

/// The files of a report. None takes its name before all are written, so that older ones stay where one cannot be.
final class ReportOutput {
  private let inputs: [String]
  private var files: [WholeFile] = []

  /// - Parameter inputs: what it is made from, and not to be written over.
  init(inputs: [String]) { self.inputs = inputs }

  func addFolder(_ path: String, flag: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      discard()
      throw ValidationError("\(flag): \(path): expected a folder or room for one, found neither")
    }
  }

  func add(_ text: String, path: String, flag: String) throws {
    if let input = inputs.first(where: { isSameFile($0, path) }) {
      discard()
      throw ValidationError("\(flag): expected another file than the log \(input), found \(path)")
    }
    let file: WholeFile
    do {
      file = try WholeFile(path: path)
    } catch {
      discard()
      throw ValidationError("\(flag): \(error)")
    }
    files.append(file)
    do {
      try file.write(text)
    } catch {
      discard()
      throw WriteError(errorDescription: "\(flag): \(error)")
    }
  }

  func finish() throws {
    while let file = files.first {
      do {
        try file.finish()
      } catch {
        discard()
        throw WriteError(errorDescription: "\(error)")
      }
      files.removeFirst()
    }
  }

  private func isSameFile(_ one: String, _ two: String) -> Bool {
    var (a, b) = (stat(), stat())
    return stat(one, &a) == 0 && stat(two, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev
  }

  private func discard() {
    for file in files { file.discard() }
    files = []
  }

  /// Neither the command line nor the data is at fault.
  private struct WriteError: LocalizedError {
    var errorDescription: String?
  }
}
