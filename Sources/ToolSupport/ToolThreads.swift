import CFisherKitProcess
import FisherKit

/// The threads of a tool. The OpenMP runtime ends a process whose threads cannot be made, so they are tried out first,
/// and made before memory gets short.
package enum ToolThreads {
  /// Makes `count` threads the number that kernels use, or as many as there can be, with a word on the standard error.
  package static func start(_ count: Int) {
    let possible = possible(count)
    if possible < count { warn("\(count) threads", "\(possible)") }
    Compute.threads = possible
    if possible > 1 { fisher_start_threads(Int32(possible)) }
  }

  /// How many of `count` threads there can be, the one that asks among them.
  package static func possible(_ count: Int) -> Int {
    guard count > 1 else { return count }
    // Their stacks are to leave half of a limited address space for what they work on.
    let spare = max(leastSpareBytes, memoryWithinLimits().map { $0 / 2 } ?? 0)
    return 1 + Int(fisher_possible_threads(Int32(min(count, 8192) - 1), Environment.threadStackBytes, spare))
  }

  /// What the OpenMP runtime itself takes for its teams.
  private static let leastSpareBytes = 48 << 20

  package static func warn(_ expected: String, _ found: String) {
    Standard.printError(line: "warning: expected \(expected), found room for \(found) (memory or process limits)")
  }
}
