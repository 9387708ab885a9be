import ArgumentParser
import FisherKit

/// Has the library judge settings, and says what it refuses in the flag's name: its ranges are nowhere else. A flag is called
/// as the library calls the setting, but for a few.
func refusing<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch FisherError.invalidArgument(let what, let expected, let found) {
    let flag = flags[what] ?? what.split(separator: " ").joined(separator: "-")
    throw ValidationError("--\(flag): expected \(expected), found \(found)")
  }
}

private let flags = [
  "normalised trust region": "normalize-steps", "recovery attempts": "recoveries", "share of the rank": "rank",
  "group normalisation: groups": "groups", "convolution's groups": "groups", "window": "kernel",
]
