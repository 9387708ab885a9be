import Foundation

/// A file that is there whole or not at all: it is written as PATH.partial, and takes its name when it is done, so that
/// a run which fails leaves an older file of that name alone. A link stands for what it leads to. A pipe, and whatever
/// is in /dev, is written to as it is.
package final class WholeFile {
  private let path: String
  private let writtenPath: String
  private let file: FileHandle
  private let isStream: Bool
  private var isEmpty = true

  /// Opens the file for writing.
  /// - Throws: ``DataError`` when that cannot be done, or when another run is writing the same file.
  package init(path: String) throws(DataError) {
    guard !path.isEmpty else { throw DataError("\"\"", expected: "a file name", found: "an empty one") }
    self.path = resolved(path)
    var older = stat()
    let isThere = stat(path, &older) == 0
    let kind = isThere ? older.st_mode & S_IFMT : S_IFREG
    guard kind != S_IFDIR, !path.hasSuffix("/") else {
      throw DataError(path, expected: "a file name", found: "a folder")
    }
    // (/dev/stdout may lead to a file, which is not ours to replace)
    isStream = kind != S_IFREG || path.hasPrefix("/dev/")
    writtenPath = isStream ? path : self.path + ".partial"
    let descriptor = isStream ? openStream(path) : open(writtenPath, O_WRONLY | O_CREAT, 0o644)
    guard descriptor >= 0 else {
      throw DataError(writtenPath, expected: "a file that can be written", found: systemMessage())
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    if isStream { return }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw DataError(writtenPath, expected: "a file that no other run writes", found: "one that does")
    }
    guard ftruncate(descriptor, 0) == 0 else {
      throw DataError(writtenPath, expected: "a file that can be emptied", found: systemMessage())
    }
    // What takes the older file's place is as open or as closed to others.
    if isThere { fchmod(descriptor, older.st_mode & 0o777) }
  }

  package func write(_ text: String) throws(DataError) { try write(Data(text.utf8)) }

  package func write(_ data: Data) throws(DataError) {
    do {
      try file.write(contentsOf: data)
    } catch {
      throw DataError(writtenPath, expected: "room for \(data.count) bytes", found: error.localizedDescription)
    }
    isEmpty = false
  }

  /// Gives the file its name.
  package func finish() throws(DataError) {
    // (what takes an older file's place is on the disk before that is gone)
    if !isStream { fsync(file.fileDescriptor) }
    guard isStream || rename(writtenPath, path) == 0 else {
      throw DataError(path, expected: "to rename \(writtenPath) to it", found: systemMessage())
    }
    do {
      try file.close()
    } catch {
      throw DataError(path, expected: "to write the last of it", found: error.localizedDescription)
    }
  }

  /// Gives up: a file without a line goes, one with some stays as PATH.partial.
  package func abandon() {
    if isEmpty { discard() }
  }

  /// Gives up a file that is of no use in part: nothing of it stays.
  package func discard() {
    if !isStream { unlink(writtenPath) }
  }
}

/// The process's own streams are shared, so that what they hold is continued and not written over.
private func openStream(_ path: String) -> Int32 {
  switch path {
  case "/dev/stdout": dup(STDOUT_FILENO)
  case "/dev/stderr": dup(STDERR_FILENO)
  default: open(path, O_WRONLY | O_APPEND)
  }
}

/// The path with all its links followed, or as it is when nothing is there.
private func resolved(_ path: String) -> String {
  guard let real = realpath(path, nil) else {
    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    return target.map { URL(fileURLWithPath: $0, relativeTo: URL(fileURLWithPath: path)).path } ?? path
  }
  defer { free(real) }
  return String(cString: real)
}

private func systemMessage() -> String { String(cString: strerror(errno)) }
