/// Ends the process, saying why, where a programmer has made a mistake: a matrix of the wrong shape. Unlike a precondition it
/// keeps its words in optimised builds, where people train.
@inlinable @inline(__always)
func demand(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { refuse(message(), file: file, line: line) }
}

@inline(never) @usableFromInline
func refuse(_ message: String, file: StaticString, line: UInt) -> Never {
  fatalError(message, file: file, line: line)
}

/// Refuses a hyper-parameter that is outside its range.
func require(
  _ condition: Bool, _ what: String, expected: String, found: some CustomStringConvertible
) throws(FisherError) {
  guard condition else { throw .invalidArgument(what: what, expected: expected, found: "\(found)") }
}
