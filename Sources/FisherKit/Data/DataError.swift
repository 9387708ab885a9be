/// Bad data: which file (or set), what was expected there and what was found.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path of a file or folder, or the name of a data set.
  public var place: String
  public var expected: String
  public var found: String

  public init(_ place: String, expected: String, found: String) {
    self.place = place
    self.expected = expected
    self.found = found
  }

  public var description: String { "\(place): expected \(expected), found \(found)" }
}
