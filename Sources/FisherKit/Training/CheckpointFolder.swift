import Foundation

/// The checkpoints of a run, in a folder of their own: `step-000000001200.checkpoint`. The last ones are kept, and the one
/// with the least loss; older ones go when a new one is on the disk.
public struct CheckpointFolder: Sendable {
  public let path: String
  /// How many of the last ones are kept.
  public let keepLast: Int

  public static var usualKeepLast: Int { 2 }

  /// The note that says which is best.
  private static let loss = "loss"

  /// Makes the folder where it is not there.
  /// - Throws: ``OutputError``.
  public init(path: String, keepLast: Int = Self.usualKeepLast) throws {
    try require(keepLast > 0, "checkpoints to keep", expected: "1 or more", found: keepLast)
    (self.path, self.keepLast) = (path, keepLast)
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw OutputError(path, expected: "a folder for checkpoints", errno: errno)
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw OutputError(path, expected: "a folder for checkpoints", found: "a file", cause: .unusablePath)
    }
  }

  /// The steps of which there is a checkpoint, whole or not, in their order.
  public var steps: [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).compactMap(Self.step).sorted()
  }

  public func file(step: Int) -> String { "\(path)/\(Self.name(step))" }

  private static let (prefix, suffix) = ("step-", ".checkpoint")

  private static func name(_ step: Int) -> String {
    let digits = "\(step)"
    return prefix + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + suffix
  }

  /// (only what is called as we call it is ours)
  private static func step(_ name: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix),
      let step = Int(name.dropFirst(prefix.count).dropLast(suffix.count)), Self.name(step) == name
    else { return nil }
    return step
  }

  // MARK: Writing

  /// Writes a checkpoint, and then takes away those that are no longer to be kept. One of the same step is replaced.
  ///
  /// - Parameter loss: that by which the best one is chosen, if by any.
  /// - Throws: ``StateError`` or ``OutputError``; what was there stays then.
  public func write(_ object: some State, step: Int, loss: Double? = nil, notes: [String: String] = [:]) throws {
    demand(step >= 0, "a step is counted from 0")
    var notes = notes
    if let loss { notes[Self.loss] = "\(loss)" }
    try CheckpointFile.write(object, notes: notes, to: file(step: step))
    removeOld()
  }

  /// Files that cannot be read are left alone, and do not count: what they hold may be of use to somebody. What runs that
  /// were killed have left unfinished goes.
  private func removeOld() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      guard let end = name.range(of: Self.suffix + PartialFile.suffix), name.hasPrefix(Self.prefix) else { continue }
      try? PartialFile.removeDead(beside: "\(path)/\(name[..<end.lowerBound])\(Self.suffix)")
    }
    let whole = steps.compactMap { step in (try? CheckpointFile(header: file(step: step))).map { (step, $0) } }
    let best = Self.best(whole)?.path
    for (_, checkpoint) in whole.dropLast(keepLast) where checkpoint.path != best { unlink(checkpoint.path) }
  }

  private static func best(_ checkpoints: [(Int, CheckpointFile)]) -> CheckpointFile? {
    var (best, least): (CheckpointFile?, Double) = (nil, .infinity)
    for (_, checkpoint) in checkpoints {
      if let loss = checkpoint.notes[loss].flatMap(Double.init), loss < least { (best, least) = (checkpoint, loss) }
    }
    return best
  }

  // MARK: Reading

  /// The last checkpoint; `nil` where there is none.
  /// - Throws: ``DataError`` where that is damaged, which also names the last whole one before it.
  public func newest() throws(DataError) -> CheckpointFile? {
    guard let last = steps.last else { return nil }
    return try open(file(step: last))
  }

  /// A checkpoint by its file, such as one before the last.
  /// - Throws: ``DataError`` where it is damaged, which also names the last whole one of the folder.
  public func open(_ file: String) throws(DataError) -> CheckpointFile {
    do {
      return try CheckpointFile(path: file)
    } catch {
      let before = newestWhole().map { "; the last one that is whole is \($0.path)" } ?? "; none of the folder is whole"
      throw DataError(error.place, expected: error.expected, found: error.found + before)
    }
  }

  /// The last checkpoint that is whole.
  public func newestWhole() -> CheckpointFile? {
    for step in steps.reversed() {
      if let checkpoint = try? CheckpointFile(path: file(step: step)) { return checkpoint }
    }
    return nil
  }

  /// The whole checkpoint with the least loss.
  public func best() -> CheckpointFile? {
    let whole = steps.compactMap { step in (try? CheckpointFile(path: file(step: step))).map { (step, $0) } }
    return Self.best(whole)
  }
}
