import CFisherKitProcess
import FisherKit
import Foundation

/// A tool's process: how it begins, how it ends, and what signals do to it.
package enum ToolProcess {
  /// What commands take of the stack, with room to spare.
  private static let stackBytes = 4 << 20
  private nonisolated(unsafe) static var body: () -> Int32 = { ExitStatus.failure }

  /// Runs the tool and ends the process with the status that comes out.
  package static func run(_ body: @escaping () -> Int32) -> Never {
    Standard.prepare()
    fisher_restore_environment()
    fisher_catch_signals()
    fisher_return_freed_memory()
    WholeFile.onUnfinished = { path, isUnfinished in fisher_note_unfinished(path, isUnfinished ? 1 : 0) }
    if memoryWithinLimits() != nil { fisher_save_address_space() }
    self.body = body
    if fisher_call_with_stack(stackBytes, { ToolProcess.end(ToolProcess.body()) }) != 0 {
      Standard.printError(line: "stack: expected \(stackBytes) bytes (ulimit -s), found less")
    }
    end(ExitStatus.failure)
  }

  /// Ends the process: at once, because exit handlers of libraries may wait for threads that could not be made.
  package static func end(_ status: Int32) -> Never { fisher_end(status) }
}

/// SIGINT or SIGTERM. Both end the process at once, unless they are deferred: then they are noted, and a run ends at the
/// next step. A second signal ends it all the same.
package enum Interruption {
  /// Notes signals instead of ending at once while `body` runs.
  package static func deferred<Result>(_ body: () throws -> Result) rethrows -> Result {
    fisher_defer_signals(1)
    defer { fisher_defer_signals(0) }
    return try body()
  }

  /// The signal that was noted.
  package static var noted: Interrupted? {
    let signal = fisher_caught_signal()
    return signal == 0 ? nil : Interrupted(signal: signal)
  }
}

/// A signal ended a run.
package struct Interrupted: Error, CustomStringConvertible {
  package let signal: Int32
  /// What there is of the run.
  private var rest: String?

  init(signal: Int32) { self.signal = signal }

  package func with(_ rest: String?) -> Self {
    var copy = self
    copy.rest = rest
    return copy
  }

  package var description: String {
    "interrupted by \(signal == SIGINT ? "SIGINT" : "SIGTERM")" + (rest.map { "; " + $0 } ?? "")
  }
  package var status: Int32 { 128 + signal }
}
