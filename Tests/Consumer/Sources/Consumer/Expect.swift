/// Ends the program where something is not as it should be.
func expect(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line, file: String = #fileID) {
  if !condition { fatalError("\(file):\(line): \(what())") }
}

/// The largest |a − b|, relative to the largest |b|; infinite where they are of different length or not numbers.
func distance(_ a: [[Double]], _ b: [[Double]]) -> Double {
  let (a, b) = (a.flatMap { $0 }, b.flatMap { $0 })
  guard a.count == b.count, (a + b).allSatisfy(\.isFinite) else { return .infinity }
  let scale = b.reduce(0) { max($0, abs($1)) }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(scale, .leastNormalMagnitude)
}
