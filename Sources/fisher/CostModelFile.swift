import FisherKit
import Foundation

/// The machine's speeds in a file, measured once.
struct CostModelFile {
  let path: String

  /// What the file holds; where there is none, what is measured now is written there.
  func load() throws -> MachineCosts {
    var there = stat()
    // (what a device says of speeds is nothing)
    guard stat(path, &there) == 0, there.st_mode & S_IFMT != S_IFCHR else { return try measure() }
    guard there.st_mode & S_IFMT != S_IFDIR else {
      throw OptionError(
        "--cost-model", OutputError(path, expected: "a file name", found: "a folder", cause: .unusablePath))
    }
    return try MachineCosts(
      file: try readText(path, what: "a file with the machine's speeds", limit: 1 << 20), path: path)
  }
  private func measure() throws -> MachineCosts {
    // (opened first: a path that is of no use is told at once)
    let file = try OptionError.naming("--cost-model") { () throws(OutputError) in try WholeFile(path: path) }
    do {
      let costs = try MachineCosts.measure(Float.self)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      let text = String(decoding: try encoder.encode(costs), as: UTF8.self) + "\n"
      try OptionError.naming("--cost-model") { () throws(OutputError) in
        try file.write(text)
        try file.finish()
      }
      return costs
    } catch {
      file.discard()
      throw error
    }
  }
}
