import ArgumentParser
import FisherKit
import Foundation

/// The environment variables that steer the computation. They are checked before anything computes: the OpenMP runtime
/// would make garbage of a number of threads that is none.
package enum Environment {
  package static func validate() throws {
    let environment = ProcessInfo.processInfo.environment
    if let threads = environment["OMP_NUM_THREADS"], !threads.isEmpty {
      // a list gives the threads of nested levels, outermost first
      let levels = threads.split(separator: ",", omittingEmptySubsequences: false)
        .map { Int($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
      guard levels.allSatisfy({ (1...4096).contains($0) }) else {
        throw ValidationError("OMP_NUM_THREADS: expected 1 to 4096 threads, found \(threads)")
      }
    }
    if let level = environment["FISHERKIT_CPU"], !level.isEmpty, !Compute.levels.contains(level) {
      throw ValidationError(
        "FISHERKIT_CPU: expected one of \(Compute.levels.joined(separator: ", ")), found \(level)")
    }
  }
}
