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
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(path, expected: "a file that can be read", found: "one that cannot")
    }
    guard let costs = try? JSONDecoder().decode(MachineCosts.self, from: data), costs.isValid else {
      throw DataError(
        path, expected: "JSON with positive products, grams, factors, solves and bandwidth, and call",
        found: "\(data.count) bytes that are not")
    }
    return costs
  }
}
