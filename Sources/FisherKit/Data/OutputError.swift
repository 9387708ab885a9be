import Foundation

/// A file could not be written: which, what was expected and what was found, and whose fault it is.
public struct OutputError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Cause: Equatable, Sendable {
    /// Nothing can be written under that name: no such folder, a folder, no permission, another run's file.
    case unusablePath
    /// The name is fine, but the writing failed, as on a full disk.
    case failedWriting
  }

  public var place: String
  public var expected: String
  public var found: String
  public var cause: Cause

  public init(_ place: String, expected: String, found: String, cause: Cause) {
    (self.place, self.expected, self.found, self.cause) = (place, expected, found, cause)
  }

  public var description: String { "\(place): expected \(expected), found \(found)" }
}

extension OutputError {
  /// What the system said last. What it says of a path is the path's fault; of room, a limit or a device it is not.
  package init(_ place: String, expected: String, errno code: Int32) {
    let ofPath = [EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL, EEXIST, ENXIO, ETXTBSY]
    self.init(
      place, expected: expected, found: String(cString: strerror(code)),
      cause: ofPath.contains(code) ? .unusablePath : .failedWriting)
  }

  static func failed(_ place: String, expected: String) -> Self {
    Self(place, expected: expected, found: String(cString: strerror(errno)), cause: .failedWriting)
  }
}
