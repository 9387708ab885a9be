import Foundation
import Testing

@testable import FisherKit

/// The table of a step's phases against the sums that it is made of.
@Suite struct StepProfileTests {
  @Test func table() throws {
    let profile = StepProfile()
    for (phase, calls, flops, bytes) in [
      (StepProfile.Phase.forward, 2, 3e9, 5e8), (.backward, 3, 2e8, 7e9), (.update, 1, 1e7, 4e8),
    ] {
      for _ in 0..<calls {
        profile.measure(phase, Work(products: flops / 2, solves: flops / 2, bytes: bytes)) {
          Thread.sleep(forTimeInterval: 0.004)
        }
      }
    }
    let rows = "\(profile)".split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0] == ["phase", "calls", "seconds", "share", "µs/call", "GFLOP/s", "GB/s"])
    #expect(rows.map { $0[0] } == ["phase", "forward", "backward", "update", "all"])
    let all = profile.entries.reduce(0) { $0 + $1.seconds }
    #expect(rows[4] == ["all", String(format: "%.3f", all)])
    for (row, (phase, calls, flops, bytes)) in zip(
      rows.dropFirst(),
      [(StepProfile.Phase.forward, 2, 6e9, 1e9), (.backward, 3, 6e8, 2.1e10), (.update, 1, 1e7, 4e8)]
        as [(StepProfile.Phase, Int, Double, Double)])
    {
      let entry = profile[phase]
      #expect(entry.calls == calls && entry.flops == flops && entry.bytes == bytes)
      let figures = [
        entry.seconds / all * 100, entry.seconds * 1_000_000 / Double(calls), flops / 1e9 / entry.seconds,
        bytes / 1e9 / entry.seconds,
      ].map { String(format: "%.1f", $0) }
      #expect(
        row[1...] == ["\(calls)", String(format: "%.3f", entry.seconds), figures[0] + "%"] + figures[1...], "\(row)")
    }
  }
}
