import ArgumentParser
import FisherKit
import Foundation

/// The environment variables that steer the computation. They are checked before anything computes: the OpenMP runtime
/// would make garbage of a number that is none, or end the process.
package enum Environment {
  /// The stack of a thread of the OpenMP runtime.
  package private(set) nonisolated(unsafe) static var threadStackBytes = usualStackBytes

  private static let usualStackBytes = 4 << 20
  /// What the kernels and OpenBLAS take, with room to spare.
  private static let leastStackBytes = 1 << 20

  package static func validate() throws {
    try validateThreads()
    try validateStack()
    if let level = value("FISHERKIT_CPU"), !Compute.levels.contains(level) {
      throw ValidationError(
        "FISHERKIT_CPU: expected one of \(Compute.levels.joined(separator: ", ")), found \(level)")
    }
    if let route = value("FISHERKIT_PRODUCTS"), !["auto", "blas", "own"].contains(route) {
      throw ValidationError("FISHERKIT_PRODUCTS: expected auto, blas or own, found \(route)")
    }
  }

  /// What is set to nothing is as good as not set.
  private static func value(_ name: String) -> String? {
    guard let value = getenv(name).map({ String(cString: $0) }) else { return nil }
    if value.allSatisfy(\.isWhitespace) {
      unsetenv(name)
      return nil
    }
    return value
  }

  private static func validateThreads() throws {
    guard let threads = value("OMP_NUM_THREADS") else { return }
    // a list gives the threads of nested levels, outermost first
    let levels = threads.split(separator: ",", omittingEmptySubsequences: false)
      .map { number($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
    guard levels.allSatisfy({ (1...Compute.mostThreads).contains($0) }) else {
      throw ValidationError("OMP_NUM_THREADS: expected 1 to \(Compute.mostThreads) threads, found \(threads)")
    }
  }

  /// Digits and nothing else.
  private static func number(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
  }

  /// The runtime's own default follows `ulimit -s`, which may be less than kernels need; so may be what the user chose.
  private static func validateStack() throws {
    let names = ["KMP_STACKSIZE", "OMP_STACKSIZE"]
    var before: [(name: String, value: String?)] = []
    for name in names {
      guard let text = value(name) else { continue }
      guard let bytes = stackBytes(text, unit: name == "KMP_STACKSIZE" ? 1 : 1 << 10) else {
        throw ValidationError("\(name): expected a size such as 4M, found \(text)")
      }
      before.append((name, text))
      threadStackBytes = max(bytes, leastStackBytes)
    }
    if before.isEmpty { before = [(names[1], nil)] }
    for (name, _) in before { setenv(name, "\(threadStackBytes >> 10)K", 1) }
    // The runtime reads it now; children get what the user gave.
    _ = Compute.threads
    for (name, value) in before {
      if let value { setenv(name, value, 1) } else { unsetenv(name) }
    }
  }

  /// A size as OpenMP has it: a number with B, K, M, G or T.
  static func stackBytes(_ text: String, unit: Int) -> Int? {
    let text = text.trimmingCharacters(in: .whitespaces).uppercased()
    let units: [Character: Int] = ["B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    let named = text.last.flatMap { units[$0] }
    let digits = (named == nil ? text : String(text.dropLast())).trimmingCharacters(in: .whitespaces)
    guard let count = number(digits), count > 0 else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: named ?? unit)
    return overflow ? nil : bytes
  }
}
