import FisherKit
import Foundation

/// The lines of a log, and what follows the last newline, if anything does.
struct LogLines {
  var complete: [LogLine]
  var unfinished: Data?

  init(path: String) throws(DataError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      var isFolder: ObjCBool = false
      let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let found = isFolder.boolValue ? "a folder" : isThere ? "one that cannot be read" : "none"
      throw DataError(path, expected: "a file of runs", found: found)
    }
    var parts = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let last = parts.popLast() ?? Data()
    unfinished = last.isEmpty ? nil : Data(last)
    complete = parts.enumerated().map { LogLine(path: path, number: $0 + 1, bytes: Data($1)) }
  }
}

struct LogLine {
  var path: String
  var number: Int
  var bytes: Data

  func decode<Value: Decodable>(_ type: Value.Type, expected: String) throws(DataError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: bytes)
    } catch let DecodingError.keyNotFound(key, _) {
      throw error(expected: expected, found: "none of its \"\(key.stringValue)\"")
    } catch let DecodingError.typeMismatch(_, context) {
      throw error(expected: expected, found: "another type of \"\(name(of: context))\"")
    } catch let DecodingError.valueNotFound(_, context) {
      throw error(expected: expected, found: "null for \"\(name(of: context))\"")
    } catch let wrong as GridError {
      throw error(expected: wrong.expected, found: wrong.found)
    } catch {
      // (what is JSON has a number beyond what it counts)
      let isJSON = (try? JSONSerialization.jsonObject(with: bytes)) != nil
      throw self.error(expected: expected, found: isJSON ? "a number out of range" : "what is not JSON: \(start)")
    }
  }

  func error(expected: String, found: String) -> DataError {
    DataError(place, expected: expected, found: found)
  }

  var place: String { "\(path):\(number)" }

  private func name(of context: DecodingError.Context) -> String {
    context.codingPath.isEmpty ? "the line" : context.codingPath.map(\.stringValue).joined(separator: ".")
  }

  /// Enough of it to be found.
  private var start: String {
    let text = String(decoding: bytes.prefix(40), as: UTF8.self)
    return text.isEmpty ? "an empty line" : bytes.count > 40 ? text + "…" : text
  }
}
