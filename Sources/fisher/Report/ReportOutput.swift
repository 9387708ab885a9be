import ArgumentParser
import FisherKit
import Foundation

/// The files of a report. None takes its name before all are written, so that older ones stay where one cannot be.
final class ReportOutput {
  private let inputs: [String]
  private var files: [WholeFile] = []
  /// The options that asked for them.
  private var flags: [String] = []

  /// - Parameter inputs: what it is made from, and not to be written over.
  init(inputs: [String]) { self.inputs = inputs }

  func addFolder(_ path: String, flag: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      discard()
      let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
      let found = isFull ? "a disk that is full" : "neither"
      throw OptionError(
        flag,
        OutputError(
          path, expected: "a folder or room for one", found: found, cause: isFull ? .failedWriting : .unusablePath))
    }
  }

  func add(_ text: String, path: String, flag: String) throws {
    if let input = inputs.first(where: { isSameFile($0, path) }) {
      discard()
      throw ValidationError("\(flag): expected another file than the log \(input), found \(path)")
    }
    do {
      try OptionError.naming(flag) { () throws(OutputError) in
        files.append(try WholeFile(path: path))
        try files[files.count - 1].write(text)
      }
    } catch {
      discard()
      throw error
    }
    flags.append(flag)
  }

  func finish() throws {
    while let file = files.first, let flag = flags.first {
      do {
        try OptionError.naming(flag) { () throws(OutputError) in try file.finish() }
      } catch {
        discard()
        throw error
      }
      files.removeFirst()
      flags.removeFirst()
    }
  }

  private func discard() {
    for file in files { file.discard() }
    (files, flags) = ([], [])
  }
}
