import ArgumentParser
import FisherKit
import Foundation

/// What a command makes, as the file of its --out.
struct OutputFile {
  let path: String
  /// What it is made from, and not to be written over: options and their files.
  let inputs: [(option: String, path: String?)]

  /// Opens the file before its contents are made, so that a path of no use is told at once; nothing of it stays where
  /// either fails.
  func write(_ make: (WholeFile) throws -> Void) throws {
    for case let (option, input?) in inputs where isSameFile(input, path) {
      throw ValidationError("--out: expected another file than that of \(option), \(input), found \(path)")
    }
    let file = try OptionError.naming("--out") { () throws(OutputError) in try WholeFile(path: path) }
    do {
      try make(file)
      try file.finish()
    } catch let error as OutputError {
      file.discard()
      throw OptionError("--out", error)
    } catch {
      file.discard()
      throw error
    }
  }

  /// The same of an array.
  func write(array make: () throws -> NPYArray) throws {
    try write { file in try make().write(to: file, place: path) }
  }
}

/// Whether two paths lead to one file with contents, whatever they are called. (A device is not changed by writing.)
func isSameFile(_ one: String, _ two: String) -> Bool {
  var (a, b) = (stat(), stat())
  return stat(one, &a) == 0 && stat(two, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev
    && a.st_mode & S_IFMT == S_IFREG
}
