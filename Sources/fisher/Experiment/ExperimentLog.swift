import FisherKit
import Foundation

/// The log of an experiment: a line of JSON for each command that worked on it, and one for each finished run, which is
/// there for good as soon as the run is done. Whatever ends the process, the file holds all runs that were finished.
final class ExperimentLog {
  private let path: String
  private let descriptor: Int32
  private(set) var headers: [ExperimentHeader] = []
  private(set) var records: [RunRecord] = []

  /// Opens the log to go on with it, or begins one. A last line that was cut off is taken out.
  /// - Throws: ``DataError`` where it is no log of an experiment, or another process writes it.
  init(path: String) throws(DataError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND, 0o644)
    guard descriptor >= 0 else {
      throw DataError(path, expected: "a file that can be written", found: String(cString: strerror(errno)))
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw DataError(path, expected: "a log that no other run writes", found: "one that is being written")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(path, expected: "a file that can be read", found: "one that cannot")
    }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() { try read(line, number: index + 1) }
    let whole = data.count - (lines.last?.count ?? 0)
    guard whole == data.count || ftruncate(descriptor, off_t(whole)) == 0 else {
      throw DataError(
        path, expected: "to take out a last line that was cut off", found: String(cString: strerror(errno)))
    }
  }

  deinit { close(descriptor) }

  private func read(_ line: Data, number: Int) throws(DataError) {
    let decoder = JSONDecoder()
    if let record = try? decoder.decode(RunRecord.self, from: line), record.kind == "run" {
      records.append(record)
    } else if let header = try? decoder.decode(ExperimentHeader.self, from: line), header.kind == "experiment" {
      headers.append(header)
    } else {
      throw DataError("\(path), line \(number)", expected: "a line of an experiment's log", found: "something else")
    }
  }

  func append(_ header: ExperimentHeader) throws {
    headers.append(header)
    try write(header)
  }

  func append(_ record: RunRecord) throws {
    records.append(record)
    try write(record)
  }

  private func write(_ value: some Encodable) throws {
    let line = Array(try encodedLine(value).utf8)
    var rest = line[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else {
        throw DataError(path, expected: "room for \(rest.count) bytes", found: String(cString: strerror(errno)))
      }
      rest = rest.dropFirst(max(0, count))
    }
    fsync(descriptor)
  }

  /// Puts the runs into an order that does not depend on which was finished first. The log is replaced as a whole.
  func sort(by order: [String: Int]) throws {
    let sorted = records.enumerated().sorted { a, b in
      let (first, second) = (order[a.element.arguments] ?? .max, order[b.element.arguments] ?? .max)
      return (first, a.offset) < (second, b.offset)
    }.map(\.element)
    guard sorted != records else { return }
    records = sorted
    let file = try WholeFile(path: path)
    for header in headers { try file.write(try encodedLine(header)) }
    for record in records { try file.write(try encodedLine(record)) }
    try file.finish()
  }

  private func encodedLine(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
