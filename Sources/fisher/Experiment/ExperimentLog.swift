import FisherKit
import FisherKitToolSupport
import Foundation

/// The log of an experiment: a line of JSON for each command that worked on it, and one for each finished run, which is
/// there for good as soon as the run is done. Whatever ends the process, the file holds all runs that were finished.
final class ExperimentLog {
  private let path: String
  private let descriptor: Int32
  private let isStream: Bool
  private(set) var headers: [ExperimentHeader] = []
  private(set) var records: [RunRecord] = []

  /// Opens the log to go on with it, or begins one. A last line that was cut off is taken out. A pipe or a device has no
  /// runs to go on with, and is only added to.
  /// - Throws: ``DataError`` where it is no log of an experiment, ``OutputError`` where it cannot be written or another
  ///   process writes it.
  init(path: String) throws {
    self.path = path
    let isThere = access(path, F_OK) == 0
    isStream = WholeFile.isStream(path)
    let mode = isStream ? O_WRONLY | O_NOCTTY : O_RDWR | O_CREAT
    descriptor = open(path, mode | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw OutputError(path, expected: "a file that can be written", errno: errno) }
    if isStream { return }
    // (where a file system has no locks, nobody else gets one either)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw OutputError(
        path, expected: "a log that no other run writes", found: "one that is being written", cause: .unusablePath)
    }
    do {
      try WholeFile.requireUnwritten(path)
    } catch {
      if !isThere { unlink(path) }
      throw error
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(path, expected: "a file that can be read", found: "one that cannot")
    }
    try requireSameFile()
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() { try read(line, number: index + 1) }
    if let last = lines.last, !last.isEmpty { try mend(last, number: lines.count, whole: data.count - last.count) }
  }

  /// A training log is made anew by every run; the runs of an experiment are not to go that way.
  /// - Throws: ``OutputError`` where the file is an experiment's log.
  static func requireNone(at path: String) throws(OutputError) {
    var there = stat()
    guard stat(path, &there) == 0, there.st_mode & S_IFMT == S_IFREG, let file = FileHandle(forReadingAtPath: path),
      // (a header has a grid in it)
      let data = try? file.read(upToCount: 1 << 22),
      let line = data.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first
    else { return }
    let kind = try? JSONDecoder().decode(Kind.self, from: line).kind
    // (of a line that was cut off the start may be left)
    let isTorn = ["{\"arguments\":", "{\"command\":"].contains { line.starts(with: $0.utf8) } && kind == nil
    let isTornOfOurs = isTorn && (try? JSONSerialization.jsonObject(with: line)) == nil
    guard kind != "experiment", kind != "run", !isTornOfOurs else {
      throw OutputError(
        path, expected: "a file of its own for the run", found: "a log of fisher experiment", cause: .unusablePath)
    }
  }

  private struct Kind: Decodable { var kind: String? }

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

  /// A run that ended between our opening and our locking may have put another file in the place of ours.
  private func requireSameFile() throws(OutputError) {
    var (ours, named) = (stat(), stat())
    guard fstat(descriptor, &ours) == 0, stat(path, &named) == 0, ours.st_ino == named.st_ino,
      ours.st_dev == named.st_dev
    else {
      throw OutputError(
        path, expected: "a log that stays in its place", found: "one that was just replaced", cause: .unusablePath)
    }
  }

  /// A last line without its end is whole but for that, or was cut off and is taken out; or it is not ours, and stays.
  private func mend(_ line: Data, number: Int, whole: Int) throws {
    // (what a crash left of a line may be zeros from some place on, or from its start where others are before it)
    let text = line.prefix { $0 != 0 }
    let isStart = ["{\"arguments\":", "{\"command\":"].contains { start in
      text.starts(with: start.utf8) || start.utf8.starts(with: text) && (!text.isEmpty || number > 1)
    }
    let isWhole = (try? JSONSerialization.jsonObject(with: line)) != nil
    let isTorn = isStart && !isWhole && line.dropFirst(text.count).allSatisfy { $0 == 0 }
    if (try? read(line, number: number)) != nil {
      try write(line: "\n")
    } else if isTorn {
      guard ftruncate(descriptor, off_t(whole)) == 0 else {
        throw OutputError(
          path, expected: "to take out a last line that was cut off", found: String(cString: strerror(errno)),
          cause: .failedWriting)
      }
    } else {
      try read(line, number: number)
    }
  }

  /// - Throws: ``DataError`` where the log has runs that a grid calls by the same names but makes otherwise, or the other
  ///   way round: they would be taken for each other.
  func requireFit(_ grid: ExperimentGrid) throws(DataError) {
    var (recipes, owners): ([String: String], [String: String]) = ([:], [:])
    func name(_ network: String, _ optimizer: String) -> String { "\(network) by \(optimizer)" }
    for network in grid.networks {
      for optimizer in grid.optimizers {
        let (owner, recipe) = (name(network.name, optimizer.name), grid.recipe(network, optimizer))
        (recipes[owner], owners[recipe]) = (recipe, owner)
      }
    }
    for record in records {
      let owner = name(record.network, record.optimizer)
      if let recipe = recipes[owner], recipe != record.recipe {
        throw DataError(
          path, expected: "runs of \(owner) to be made by \"\(recipe)\" (or another log, or another name)",
          found: "\"\(record.recipe)\"")
      }
      if let known = owners[record.recipe], known != owner {
        throw DataError(path, expected: "runs by \"\(record.recipe)\" to be called \(known)", found: owner)
      }
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

  private func write(_ value: some Encodable) throws { try write(line: try jsonLine(value) + "\n") }

  /// All of it is there for good, or none.
  private func write(line: String) throws(OutputError) {
    let start = lseek(descriptor, 0, SEEK_END)
    var rest = Array(line.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else {
        let reason = String(cString: strerror(errno))
        _ = ftruncate(descriptor, start)
        throw OutputError(path, expected: "room for \(rest.count) bytes", found: reason, cause: .failedWriting)
      }
      rest = rest.dropFirst(max(0, count))
    }
    // (not everything that can be written has a disk)
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw OutputError(
        path, expected: "to be kept on its disk", found: String(cString: strerror(errno)), cause: .failedWriting)
    }
  }

  /// Puts the runs into an order that does not depend on which was finished first. The log is replaced as a whole.
  func sort(by order: [String: Int]) throws {
    let sorted = records.enumerated().sorted { a, b in
      let (first, second) = (order[a.element.arguments] ?? .max, order[b.element.arguments] ?? .max)
      return (first, a.offset) < (second, b.offset)
    }.map(\.element)
    guard sorted != records, !isStream else { return }
    records = sorted
    let file = try WholeFile(path: path, ownsOlder: true)
    do {
      for header in headers { try file.write(try jsonLine(header) + "\n") }
      for record in records { try file.write(try jsonLine(record) + "\n") }
      try file.finish()
    } catch {
      file.discard()
      throw error
    }
  }
}

/// A value on one line of JSON, alike every time.
func jsonLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self).printableJSON
}
