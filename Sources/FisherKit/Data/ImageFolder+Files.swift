import Foundation

extension ImageFolder {
  /// Reads one of the four files, wherever in the folder it is; where several are, the first that is a file with
  /// something in it. (What an unpacking that was broken off leaves has nothing in it.)
  static func read(_ folder: String, _ name: String, dimensions: Int) throws(DataError) -> (IDX, path: String) {
    let there = places(of: name).map { "\(folder)/\($0)" }.filter { FileManager.default.fileExists(atPath: $0) }
    let files = there.filter(hasContent)
    guard let path = files.first ?? there.first else {
      throw DataError(
        folder, expected: "\(name) or \(name).gz in it", found: "neither" + nearMiss(folder, name))
    }
    do {
      return (try IDX(path: path, dimensions: dimensions), path)
    } catch {
      guard let other = files.dropFirst().first else { throw error }
      throw DataError(
        error.place, expected: error.expected, found: "\(error.found) (\(other) is there too, and was not read)")
    }
  }

  private static func places(of name: String) -> [String] {
    let dotted = name.replacing("-idx", with: ".idx")
    return [name, "\(name).gz", dotted, "\(dotted).gz", "\(name)/\(name)", "\(dotted)/\(dotted)"]
  }

  private static func hasContent(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
  }

  /// Where else the file is, one or two folders down, or what is called much like it.
  private static func nearMiss(_ folder: String, _ name: String) -> String {
    let entries = contents(folder)
    let below = entries + entries.flatMap { entry in contents("\(folder)/\(entry)").map { "\(entry)/\($0)" } }
    for entry in below {
      for place in places(of: name) where hasContent("\(folder)/\(entry)/\(place)") {
        return " (\(folder)/\(entry) has it)"
      }
    }
    let words = name.hasPrefix("train") ? ["train"] : ["t10k", "test"]
    let kind = name.contains("images") ? "image" : "label"
    let alike = entries.first { entry in
      let entry = entry.lowercased()
      return entry.contains(kind) && words.contains { entry.contains($0) }
    }
    return alike.map { ", but \($0)" } ?? ""
  }

  /// (no more of a folder than a data set's own would have)
  private static func contents(_ folder: String) -> [String] {
    Array(((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().prefix(100))
  }
}
