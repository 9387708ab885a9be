import ArgumentParser
import FisherKit

/// The file of --save. It is opened before a run begins, so that a path of no use is told at once, and written when the run
/// is done; a run that ends otherwise leaves nothing of it, and an older file alone.
final class SavedModel {
  private let path: String
  private let file: WholeFile

  init(path: String, log: String?) throws {
    if let log, log == path || isSameFile(log, path) {
      throw ValidationError("--save: expected another file than that of --log, found \(path)")
    }
    file = try OptionError.naming("--save") { () throws(OutputError) in try WholeFile(path: path) }
    self.path = path
  }

  func write(_ model: Sequential<Float>, notes: ModelNotes) throws {
    do {
      try model.write(to: file, place: path, notes: notes)
      try file.finish()
    } catch let error as OutputError {
      file.discard()
      throw OptionError("--save", error)
    } catch {
      file.discard()
      throw error
    }
  }

  func discard() { file.discard() }
}
