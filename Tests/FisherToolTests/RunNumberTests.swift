import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// What a run counts and reads beside its losses.
@Suite struct RunNumberTests {
  @Test func incidents() {
    var counts = IncidentCounts()
    let remedies: [Incident.Remedy] = [.wentBack, .diagonal, .wentBack, .raisedDamping, .wentBack]
    #expect(remedies.map { counts.add(Incident(layer: "layer", remedy: $0)) } == [1, 1, 2, 1, 3])
    #expect(
      counts.summary == [
        "survived: raised damping, 1 times", "survived: diagonal, 1 times", "survived: went back, 3 times",
      ])
  }

  #if os(Linux)
    /// A process's memory is what the kernel says of it, in bytes.
    @Test func memory() throws {
      func kernel(_ name: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(name):") })
        return try #require(Double(line.split(whereSeparator: \.isWhitespace)[1])) * 1024
      }
      // (other tests take and give memory meanwhile, and what went before the program counts for the peak too)
      #expect(try Double(peakMemoryBytes()) > 0.95 * kernel("VmHWM"))
      let resident = try Double(residentBytes()) / kernel("VmRSS")
      #expect(resident > 0.7 && resident < 1.4, "\(resident)")
    }
  #endif
}
