import FisherKit

/// The files of a tuner's run, opened before it: a path of no use is told at once.
final class TuneOutputs {
  private(set) var log: TuneLog?
  private var files: [(flag: String, path: String, file: WholeFile)] = []

  init(log: String?, out: String?, picture: String?) throws {
    do {
      self.log = try log.map(TuneLog.init)
      for case let (flag, path?) in [("--out", out), ("--picture", picture)] {
        files.append((flag, path, try OptionError.naming(flag) { () throws(OutputError) in try WholeFile(path: path) }))
      }
    } catch {
      discard()
      throw error
    }
  }

  /// Each is whole, and kept whatever becomes of the others.
  func finish(_ result: TuneResult, flags: TuneFlags) throws {
    let written = files.map { flag, _, file in
      Result {
        let text = flag == "--out" ? flags.all(result.settings).joined(separator: " ") + "\n" : TunePicture(result).svg
        do {
          try OptionError.naming(flag) { () throws(OutputError) in
            try file.write(text)
            try file.finish()
          }
        } catch {
          file.discard()
          throw error
        }
      }
    }
    files = []
    try log?.finish()
    log = nil
    for one in written { try one.get() }
  }

  /// Of a run that was interrupted.
  /// - Returns: what there is of them, and what not.
  func keep() throws -> String? {
    let missing = files.map { "\($0.path) was not written" }
    discardFiles()
    let kept = try log?.keep()
    log = nil
    let parts = [kept].compactMap { $0 } + missing
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  func discard() {
    log?.abandon()
    log = nil
    discardFiles()
  }

  private func discardFiles() {
    for one in files { one.file.discard() }
    files = []
  }
}
