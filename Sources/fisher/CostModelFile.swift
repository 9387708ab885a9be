import FisherKit
import Foundation

/// The machine's speeds in a file, measured once.
struct CostModelFile {
  let path: String

  /// What the file holds; where there is none, what is measured now is written there.
  func load() throws -> MachineCosts {
    guard FileManager.default.fileExists(atPath: path) else {
      let costs = try MachineCosts.measure(Float.self)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      let file = try WholeFile(path: path)
      try file.write(String(decoding: try encoder.encode(costs), as: UTF8.self) + "\n")
      try file.finish()
      return costs
    }
    return try MachineCosts(
      file: try readText(path, what: "a file with the machine's speeds", limit: 1 << 20), path: path)
  }
}
