import FisherKit
import Foundation

/// The lines of a log but for blank ones, and what follows the last newline, if that is not a whole line of JSON too.
struct LogLines {
  var complete: [LogLine] = []
  var unfinished: LogLine?

  private static let spaces: [UInt8] = [0x20, 0x09, 0x0d]

  /// Reads a file or a pipe.
  init(path: String) throws(DataError) {
    let data = try readText(path, what: "a file of runs", limit: 1 << 30, lineLimit: 1 << 26)
    try self.init(data, path: path)
  }

  init(_ data: Data, path: String) throws(DataError) {
    for mark in [[0xff, 0xfe], [0xfe, 0xff]] as [[UInt8]] where data.starts(with: mark) {
      throw DataError(path, expected: "lines of JSON in UTF-8", found: "UTF-16")
    }
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let parts = data.dropFirst(data.starts(with: mark) ? mark.count : 0)
      .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() where !part.allSatisfy(Self.spaces.contains) {
      let line = LogLine(path: path, number: index + 1, bytes: Data(part))
      // (an editor may have left out the last newline)
      if index < parts.count - 1 || line.isJSON { complete.append(line) } else { unfinished = line }
    }
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
      if isJSON { throw self.error(expected: expected, found: "a number out of range") }
      let kind = hasNotFinite ? " (NaN or infinity)" : ""
      throw self.error(expected: expected, found: "what is not JSON\(kind): \(start)")
    }
  }

  func error(expected: String, found: String) -> DataError {
    DataError(place, expected: expected, found: found)
  }

  var place: String { "\(path):\(number)" }

  var isJSON: Bool { (try? JSONSerialization.jsonObject(with: bytes)) != nil }

  /// Whether it seems to have numbers that Python writes, and JSON does not have.
  private var hasNotFinite: Bool {
    String(decoding: bytes, as: UTF8.self).contains(/:\s*-?(nan\b|inf(inity)?\b)/.ignoresCase())
  }

  private func name(of context: DecodingError.Context) -> String {
    context.codingPath.isEmpty ? "the line" : context.codingPath.map(\.stringValue).joined(separator: ".")
  }

  /// Enough of it to be found.
  private var start: String {
    let text = String(decoding: bytes.prefix(40), as: UTF8.self)
    return bytes.count > 40 ? text + "…" : text
  }
}
