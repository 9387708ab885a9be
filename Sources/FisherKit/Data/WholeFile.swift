import Foundation

/// A file that is there whole or not at all: it is written beside PATH as PATH.partial-N, N the process's number, and
/// takes its name when it is done, so that a run which fails leaves an older file of that name alone. A link stands for
/// what it leads to. A pipe, and whatever is in /dev, is written to as it is.
package final class WholeFile {
  private let path: String
  /// The name that it has while it is written.
  package let writtenPath: String
  private var descriptor: Int32
  private let isStream: Bool
  private let keepsPart: Bool
  private let ownsOlder: Bool
  private var isEmpty = true

  /// Told with `true` of a file that is to go when the process ends now, and with `false` when that is over. What ends
  /// a process at a signal can run no destructor.
  package nonisolated(unsafe) static var onUnfinished: ((_ path: String, _ isUnfinished: Bool) -> Void)?

  /// Opens the file for writing.
  /// - Parameters:
  ///   - keepsPart: whether what was written stays, as PATH.partial-N, when the process ends before it is done.
  ///   - ownsOlder: whether a lock on the older file is the caller's own.
  /// - Throws: ``OutputError`` when that cannot be done, or when another run is writing the same file.
  package init(path: String, keepsPart: Bool = false, ownsOlder: Bool = false) throws(OutputError) {
    self.keepsPart = keepsPart
    self.ownsOlder = ownsOlder
    self.path = try resolved(path)
    var older = stat()
    let isThere = stat(path, &older) == 0
    let kind = isThere ? older.st_mode & S_IFMT : S_IFREG
    guard kind != S_IFDIR, !path.hasSuffix("/") else {
      throw OutputError(path, expected: "a file name", found: "a folder", cause: .unusablePath)
    }
    isStream = Self.isStream(path)
    if isStream {
      writtenPath = path
      descriptor = openStream(path)
      guard descriptor >= 0 else { throw OutputError(path, expected: "a file that can be written", errno: errno) }
    } else {
      // (an older file that its owner closed to writing is not replaced either)
      guard !isThere || access(path, W_OK) == 0 else {
        throw OutputError(path, expected: "a file that can be written", errno: errno)
      }
      (descriptor, writtenPath) = try PartialFile.create(beside: self.path)
      Self.onUnfinished?(writtenPath, true)
      do {
        try requireQuietOlder()
      } catch {
        unlink(writtenPath)
        Self.onUnfinished?(writtenPath, false)
        close(descriptor)
        throw error
      }
      // What takes the older file's place is as open or as closed to others.
      if isThere { fchmod(descriptor, older.st_mode & 0o777) }
    }
  }

  /// Writes a file by what the body puts into it; where that throws, nothing of it stays.
  static func write(to path: String, _ body: (WholeFile) throws -> Void) throws {
    let file = try WholeFile(path: path)
    do {
      try body(file)
      try file.finish()
    } catch {
      file.discard()
      throw error
    }
  }

  /// Whether it is written to as it is, whatever is there. (/dev/stdout may lead to a file, which is not ours to replace;
  /// /dev/shm is a folder as any other.)
  package static func isStream(_ path: String) -> Bool {
    var there = stat()
    let isThere = stat(path, &there) == 0
    return path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")
      || isThere && ![S_IFREG, S_IFDIR].contains(there.st_mode & S_IFMT)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func write(_ text: String) throws(OutputError) { try write(Data(text.utf8)) }

  package func write(_ data: Data) throws(OutputError) {
    try data.withUnsafeBytes { bytes in Result { () throws(OutputError) in try write(bytes) } }.get()
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
    var written = 0
    while written < bytes.count {
      // (no system writes more than 2 GiB at once)
      let count = Foundation.write(descriptor, bytes.baseAddress! + written, min(bytes.count - written, 1 << 30))
      guard count >= 0 || errno == EINTR else {
        throw .failed(writtenPath, expected: "room for \(bytes.count - written) bytes")
      }
      written += max(0, count)
    }
    if isEmpty, keepsPart, !isStream { Self.onUnfinished?(writtenPath, false) }
    isEmpty = false
  }

  /// Gives the file its name.
  package func finish() throws(OutputError) {
    if !isStream {
      // (what takes an older file's place is on the disk before that is gone)
      guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
        throw .failed(writtenPath, expected: "to be kept on its disk")
      }
      try requireQuietOlder()
      guard rename(writtenPath, path) == 0 else {
        throw .failed(path, expected: "to rename \(writtenPath) to it")
      }
      Self.onUnfinished?(writtenPath, false)
      syncFolder(of: path)
    }
    defer { descriptor = -1 }
    guard close(descriptor) == 0 || errno == EINTR else { throw .failed(path, expected: "to write the last of it") }
  }

  /// A run may write the older file in place, as experiments do with their logs; such runs hold a lock on it.
  private func requireQuietOlder() throws(OutputError) {
    guard !ownsOlder else { return }
    let older = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard older >= 0 else { return }
    defer { close(older) }
    guard flock(older, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw OutputError(path, expected: "a file that no other run writes", found: "one that does", cause: .unusablePath)
    }
  }

  /// - Throws: ``OutputError`` where a run is alive that will give its file this name.
  package static func requireUnwritten(_ path: String) throws(OutputError) {
    try PartialFile.removeDead(beside: resolved(path))
  }

  /// Gives up: a file without a line goes, one with some stays where that was asked for.
  package func abandon() {
    if isEmpty || !keepsPart { discard() }
  }

  /// Gives up a file that is of no use in part: nothing of it stays.
  package func discard() {
    guard !isStream, descriptor >= 0 else { return }
    unlink(writtenPath)
    Self.onUnfinished?(writtenPath, false)
  }
}

/// The process's own streams are shared, so that what they hold is continued and not written over.
private func openStream(_ path: String) -> Int32 {
  switch path {
  case "/dev/stdout": dup(STDOUT_FILENO)
  case "/dev/stderr": dup(STDERR_FILENO)
  default: open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY)
  }
}

/// The path with all its links followed, the last ones too where they lead to nothing yet.
private func resolved(_ path: String) throws(OutputError) -> String {
  guard !path.isEmpty else {
    throw OutputError("\"\"", expected: "a file name", found: "an empty one", cause: .unusablePath)
  }
  var place = path
  // (as many links as the system follows)
  for _ in 0..<40 {
    if let real = realpath(place, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else { return place }
    place = target.hasPrefix("/") ? target : folder(of: place) + "/" + target
  }
  throw OutputError(path, expected: "a link that leads somewhere", errno: ELOOP)
}

/// A name is on the disk when its folder is.
private func syncFolder(of path: String) {
  let descriptor = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

/// "." where the path has none.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
