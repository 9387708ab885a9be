import ArgumentParser
import FisherKit
import Foundation

/// The files of a report. None takes its name before all are written, so that older ones stay where one cannot be.
final class ReportOutput {
  private var files: [WholeFile] = []

  func addFolder(_ path: String, flag: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw ValidationError("\(flag): \(path): expected a folder or room for one, found neither")
    }
  }

  func add(_ text: String, path: String, flag: String) throws {
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

  private func discard() {
    for file in files { file.discard() }
    files = []
  }

  /// Neither the command line nor the data is at fault.
  private struct WriteError: LocalizedError {
    var errorDescription: String?
  }
}
