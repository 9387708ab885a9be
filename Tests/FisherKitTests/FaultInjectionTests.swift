import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// Training while things break: it ends with numbers and a report of what happened, or with a clear stop.
@Suite struct FaultInjectionTests {
  /// More than a thousand faults of every kind, at steps that generators choose, under every metric. Once they are over
  /// every run finds back to weights that are better than a blind choice, or has come to a clear stop.
  @Test func aThousandFaults() throws {
    var total = 0
    for (place, name) in FaultRun.metrics.enumerated() {
      for kind in FaultPlan.Kind.allCases {
        // (what takes weights back halves the learning rate, and may do so 60 times)
        let plan = FaultPlan(
          kind, share: kind == .weights ? 0.15 : 0.3, seed: UInt64(100 * place) + 7, active: 60..<150)
        let run = try FaultRun(metric: name, plan: plan, epochs: 45)
        report("\(name), \(kind.rawValue): \(run)")
        total += run.injected
        #expect(run.isAccountedFor, "\(name), \(kind.rawValue): \(run)")
        #expect(run.hasStopped || run.loss < 1.09, "\(name), \(kind.rawValue): \(run)")
        let isPossible = kind != .nu || !["exact, linear", "shared"].contains(name)
        #expect(
          run.injected > 0 || !isPossible || kind == .directions && name == "exact, pair", "\(name), \(kind.rawValue)")
        if kind == .blocks { #expect(run.incidents.values.reduce(0, +) > 0, "\(name): \(run)") }
        // A fault that is no number is never passed on in silence.
        if [.inputs, .gradients, .directions].contains(kind), run.injected > 3 {
          #expect(!run.incidents.isEmpty, "\(name), \(kind.rawValue): \(run)")
        }
      }
    }
    report("\(total) faults in all")
    #expect(total >= 1000)
  }

  /// The same faults, the same end.
  @Test func theSameEveryTime() throws {
    for kind in FaultPlan.Kind.allCases {
      let runs = try (0..<2).map { _ in
        "\(try FaultRun(metric: "exact", plan: FaultPlan(kind, share: 0.3, seed: 1), epochs: 4))"
      }
      #expect(runs[0] == runs[1])
    }
  }

  /// Data that say nothing: a constant, mini-batches of one sample over and over, features that are always 0.
  @Test(arguments: FaultRun.metrics) func dataOfRankOne(metric: String) throws {
    for (what, change) in [
      ("constant", { (_: Int, x: inout [Double]) in x = Array(repeating: 3, count: 6) }),
      ("zeros", { (_: Int, x: inout [Double]) in x = Array(repeating: 0, count: 6) }),
      ("all rows equal", { (_: Int, x: inout [Double]) in x = [0.5, -1, 2, 0, 1, -0.25] }),
      ("huge", { (_: Int, x: inout [Double]) in x = x.map { 1e12 * $0 } }),
      ("tiny", { (_: Int, x: inout [Double]) in x = x.map { 1e-20 * $0 } }),
    ] {
      let plan = FaultPlan(.blocks, share: 0, seed: 0)
      let run = try FaultRun(metric: metric, plan: plan, data: try FaultRun.data(seed: 9, features: change))
      #expect(run.isAccountedFor && !run.hasStopped, "\(metric), \(what): \(run)")
      #expect(run.loss < 2, "\(metric), \(what): \(run)")
    }
  }

  /// A hundred times the learning rate.
  @Test(arguments: FaultRun.metrics) func aRateThatIsFarTooLarge(metric: String) throws {
    let plan = FaultPlan(.blocks, share: 0, seed: 0)
    let run = try FaultRun(metric: metric, plan: plan, rate: 5)
    #expect(run.isAccountedFor && run.loss < 3, "\(metric): \(run)")
  }

  /// A sample with a NaN in the data themselves: its mini-batch is left out, and the evaluation ends the run, clearly.
  @Test func aNaNInTheData() throws {
    let data = try FaultRun.data(seed: 9) { sample, x in if sample == 20 { x[2] = .nan } }
    let run = try FaultRun(
      metric: "exact", plan: FaultPlan(.blocks, share: 0, seed: 0), data: data, recovery: Recovery(attempts: 3))
    #expect(run.hasStopped && run.hasFiniteWeights, "\(run)")
    #expect(run.incidents[.wentBack] == 3 && (run.incidents[.batchLeftOut] ?? 0) >= 1, "\(run)")
  }

  /// With FISHERKIT_SOAK=minutes: runs with faults again and again, in memory that stays as it is.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FISHERKIT_SOAK"] != nil)) func soak() throws {
    let minutes = try #require(ProcessInfo.processInfo.environment["FISHERKIT_SOAK"].flatMap { Double($0) })
    let clock = ContinuousClock()
    let start = clock.now
    var (rounds, injected, warm): (UInt64, Int, Int) = (0, 0, 0)
    while clock.now - start < .seconds(60 * minutes) || rounds < 10 {
      for name in FaultRun.metrics {
        for kind in FaultPlan.Kind.allCases {
          let plan = FaultPlan(kind, share: 0.2, seed: rounds)
          let run = try FaultRun(metric: name, plan: plan, epochs: 8)
          injected += run.injected
          #expect(run.isAccountedFor, "\(name), \(kind.rawValue), seed \(rounds): \(run)")
        }
      }
      rounds += 1
      // (the first rounds fill the pools of the allocator and of OpenBLAS)
      if rounds == 4 { warm = try Self.residentBytes() }
      if rounds % 20 == 0 { print("round \(rounds): \(injected) faults, \(try Self.residentBytes() >> 10) KiB") }
    }
    let end = try Self.residentBytes()
    print("\(rounds) rounds, \(injected) faults: \(warm >> 10) KiB after 4 rounds, \(end >> 10) KiB at the end")
    #expect(Double(end) < 1.05 * Double(warm), "memory grew from \(warm) to \(end) bytes in \(rounds) rounds")
  }

  private static func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * Int(getpagesize())
  }

  private func report(_ line: String) {
    if ProcessInfo.processInfo.environment["FISHERKIT_FAULTS"] != nil { print(line) }
  }
}
