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
  /// - Throws: ``DataError`` when that cannot be done.
  package init(path: String) throws(DataError) {
    self.path = resolved(path)
    var status = stat()
    let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
    guard kind != S_IFDIR else { throw DataError(path, expected: "a file name", found: "a folder") }
    // (/dev/stdout may lead to a file, which is not ours to replace)
    isStream = kind != S_IFREG || path.hasPrefix("/dev/")
    writtenPath = isStream ? path : self.path + ".partial"
    let descriptor = open(writtenPath, O_WRONLY | (isStream ? O_APPEND : O_CREAT | O_TRUNC), 0o644)
    guard descriptor >= 0 else {
      throw DataError(writtenPath, expected: "a file that can be written", found: systemMessage())
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  package func write(_ text: String) throws(DataError) {
    do {
      try file.write(contentsOf: Data(text.utf8))
    } catch {
      throw DataError(writtenPath, expected: "room for \(text.utf8.count) bytes", found: error.localizedDescription)
    }
    isEmpty = false
  }

  /// Gives the file its name.
  package func finish() throws(DataError) {
    do {
      try file.close()
    } catch {
      throw DataError(writtenPath, expected: "to write the last of it", found: error.localizedDescription)
    }
    guard isStream || rename(writtenPath, path) == 0 else {
      throw DataError(path, expected: "to rename \(writtenPath) to it", found: systemMessage())
    }
  }

  /// Gives up: a file without a line goes, one with some stays as PATH.partial.
  package func abandon() {
    if isEmpty, !isStream { unlink(writtenPath) }
  }
}

/// The path with all its links followed, or as it is when nothing is there.
private func resolved(_ path: String) -> String {
  guard let real = realpath(path, nil) else { return path }
  defer { free(real) }
  return String(cString: real)
}

private func systemMessage() -> String { String(cString: strerror(errno)) }
