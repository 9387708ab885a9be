import Foundation

/// The names PATH.partial-N under which files are written until they are whole. A run holds a lock on its own as long as
/// it lives, so that whoever finds one without a lock knows that its run is dead.
///
/// Names are never reused and never followed: whatever somebody put there, a link, a pipe or a folder, stays as it is.
enum PartialFile {
  /// Makes an empty file, locked.
  /// - Throws: ``OutputError`` when it cannot be made, or when another run is writing `path`.
  static func create(beside path: String) throws(OutputError) -> (descriptor: Int32, path: String) {
    let turn = FolderTurn(folder(of: path))
    defer { turn.end() }
    try removeDead(beside: path)
    for attempt in 0..<100 {
      let name = path + suffix + "\(getpid())" + (attempt == 0 ? "" : "\(attempt)")
      let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
      if descriptor < 0, errno == EEXIST { continue }
      guard descriptor >= 0 else { throw OutputError(name, expected: "a file that can be written", errno: errno) }
      // (where a file system has no locks, nobody else gets one either)
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, isNamed(descriptor, name) {
        return (descriptor, name)
      }
      close(descriptor)
      throw isWritten(path, as: name)
    }
    throw OutputError(
      path + suffix, expected: "a name that is free", found: "100 that are taken", cause: .unusablePath)
  }

  static let suffix = ".partial-"

  /// Takes away what runs of this file left that are dead.
  /// - Throws: ``OutputError`` where one is alive.
  static func removeDead(beside path: String) throws(OutputError) {
    let folder = folder(of: path)
    let start = (path.split(separator: "/").last.map(String.init) ?? path) + suffix
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let number = name.utf8.dropFirst(start.utf8.count)
      let isDecimal = !number.isEmpty && number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard name.hasPrefix(start), isDecimal else { continue }
      let place = folder + "/" + name
      // (read-write, because a lock on some network file systems asks for it)
      let descriptor = open(place, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var file = stat()
      guard fstat(descriptor, &file) == 0, file.st_mode & S_IFMT == S_IFREG, file.st_nlink == 1 else { continue }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        if errno == EWOULDBLOCK, isNamed(descriptor, place) { throw isWritten(path, as: name) }
        continue
      }
      // (a run that has just finished gave it another name, and it is no longer what this name says)
      if isNamed(descriptor, place) { unlink(place) }
    }
  }

  private static func isWritten(_ path: String, as name: String) -> OutputError {
    let name = name.split(separator: "/").last ?? ""
    return OutputError(
      path, expected: "a file that no other run writes", found: "one that does, as \(name)", cause: .unusablePath)
  }
}

/// Whether that is the file's name, and not a link to it.
func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
  var (ours, named) = (stat(), stat())
  return fstat(descriptor, &ours) == 0 && lstat(path, &named) == 0 && ours.st_ino == named.st_ino
    && ours.st_dev == named.st_dev
}

/// Makes runs look round a folder one after the other: of two that begin at once one has its file before the other
/// looks. It is a lock on the folder, which somebody else may hold for reasons of their own, or which may not be had: then
/// we wait no longer than two seconds, after which two runs that begin at the same moment may both go on. Each has a file
/// of its own even so.
private struct FolderTurn {
  private let descriptor: Int32

  init(_ folder: String) {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    for _ in 0..<200 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
      usleep(10_000)
    }
  }

  func end() { if descriptor >= 0 { close(descriptor) } }
}
