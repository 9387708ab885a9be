import CKernels
import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKitBench

/// What a row of `bench-fisher` says, from a kernel that does nothing: figures are worked out again from its median.
@Suite struct BenchNumberTests {
  /// Six million operations on four million bytes, with errors that are known.
  private struct Idle: KernelBench {
    static let kernel = "idle"
    static let shapes = [Shape(d: 3, m: 2)]
    static let precision = Reference.Precision.float
    init(_ shape: Shape, threads: Int32) {}
    var flops: Double { 6e6 }
    var bytes: Double { 4e6 }
    func call() -> fk_status {
      Thread.sleep(forTimeInterval: 0.0005)
      return FK_OK
    }
    func check() -> [Comparison] {
      [1e-3, 4e-3, 2e-3].map { Comparison.normwise([1 + $0], [1], tolerance: 1) }
    }
  }

  private func measurement(_ roofline: Roofline) -> FisherKitBench.Measurement {
    FisherKitBench.Measurement(
      Idle.self, Idle.shapes[0], level: "generic", threads: 2, roofline: roofline,
      patience: Patience(repetitions: 3, seconds: 0, limit: 0.01, least: 3))
  }

  /// The middle one, and the middle half over it, of nine times.
  @Test func timing() {
    let timing = Timing([9, 1, 5, 3, 7, 2, 8, 4, 6].map { $0 * 0.5 })
    #expect(timing.median == 2.5 && timing.repetitions == 9 && abs(timing.spread - (3.5 - 1.5) / 2.5) < 1e-15)
    #expect(Timing([0]).spread == 0 && Timing([4]).median == 4)
  }

  @Test(arguments: [
    (Roofline(peak: Peak(arithmetic: 90, product: 60), bandwidth: 20), "memory", 30.0),
    (Roofline(peak: Peak(arithmetic: 4, product: 5), bandwidth: 20), "compute", 5),
  ])
  func figures(roofline: Roofline, bound: String, attainable: Double) throws {
    var row = measurement(roofline)
    let seconds = try #require(row.timing).median
    let rates = (flops: 6e-3 / seconds, bytes: 4e-3 / seconds)
    func isNear(_ found: Double?, _ expected: Double) -> Bool { abs((found ?? .nan) - expected) <= 1e-12 * expected }
    #expect(isNear(row.gflops, rates.flops) && isNear(row.gigabytesPerSecond, rates.bytes))
    #expect(isNear(row.fractionOfPeak, rates.flops / roofline.peak) && row.bound.rawValue == bound)
    #expect(isNear(row.fractionOfAttainable, rates.flops / attainable))
    #expect(
      isNear(row.secondsAtPeak, 6e-3 / roofline.peak) && isNear(row.secondsAtBandwidth, 4e-3 / roofline.bandwidth))
    #expect(isNear(row.error, 4e-3) || abs(row.error! - 4e-3) < 1e-12)
    row.peer = PeerAnswer(seconds: 3 * seconds, formulation: "einsum", formulations: ["einsum": 3 * seconds])
    #expect(isNear(row.peerRatio, 3))

    // The same in a line of the table, of the Markdown and of the JSON.
    func f(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
    func milliseconds(_ seconds: Double) -> String { f(seconds * 1000, 2) + " ms" }
    func microseconds(_ seconds: Double) -> String { f(seconds * 1_000_000, 1) + " µs" }
    func time(_ seconds: Double) -> String { seconds < 1e-3 ? microseconds(seconds) : milliseconds(seconds) }
    let spread = f(100 * row.timing!.spread, 0) + "%"
    let shares = [f(rates.flops / roofline.peak, 3), bound, f(rates.flops / attainable, 3), f(rates.bytes, 1)]
    let line = Table.row(row).split(separator: " ").joined(separator: " ")
    #expect(
      line
        == (["idle d=3 m=2 float 2", time(seconds), spread, f(rates.flops, 1)] + shares + [
          "4.0e-03", time(3 * seconds), "3.00x", "einsum",
        ]).joined(separator: " "))
    let text = Markdown.text(Results(measurements: [row]), torch: "2.0")
    let cells = try #require(text.split(separator: "\n").last).components(separatedBy: " | ")
    #expect(cells.count == 17 && Array(cells[4...8]) == [time(seconds), spread, f(rates.flops, 1), shares[0], bound])
    #expect(
      Array(cells[9...13]) == [
        shares[2], shares[3], time(6e-3 / roofline.peak), time(4e-3 / roofline.bandwidth), "4.0e-03",
      ])
    #expect(text.contains("- float, 2 threads: \(f(roofline.peak, 1)) GFLOP/s, \(f(roofline.bandwidth, 1)) GB/s"))
    #expect(text.contains("(multiply-adds \(f(roofline.limits.arithmetic, 1)), BLAS's product "))
    let json = try JSONSerialization.jsonObject(with: Data(try JSONRow.text([row]).utf8))
    let object = try #require((json as? [[String: Any]])?.first)
    for (key, value) in [
      ("median_seconds", seconds), ("spread", row.timing!.spread), ("gflops", rates.flops), ("peer_ratio", 3),
      ("gbytes_per_second", rates.bytes), ("fraction_of_peak", rates.flops / roofline.peak),
      ("fraction_of_attainable", rates.flops / attainable), ("peak_gflops", roofline.peak),
      ("peak_multiply_add_gflops", roofline.limits.arithmetic), ("peak_blas_gflops", roofline.limits.product),
      ("bandwidth_gbytes_per_second", roofline.bandwidth), ("max_relative_error", 4e-3),
      ("peer_seconds", 3 * seconds),
    ] { #expect(abs((object[key] as? Double ?? .nan) - value) <= 1e-9 * value, "\(key)") }
  }

  /// The larger one is the peak, and the best of several times counts.
  @Test func peaks() {
    let (early, late) = (Peak(arithmetic: 100, product: 69), Peak(arithmetic: 90, product: 80))
    #expect(early.gflops == 100 && Peak(arithmetic: 50, product: 60).gflops == 60)
    #expect(early.best(late) == Peak(arithmetic: 100, product: 80) && late.best(early) == early.best(late))
    var limits = Limits(type: .float, threads: 2, roofline: Roofline(peak: late, bandwidth: 7), least: late.gflops)
    limits.see(early, 6)
    #expect(limits.roofline.limits == early.best(late) && limits.roofline.bandwidth == 7 && limits.least == 90)
    limits.see(Peak(arithmetic: 1, product: 2), 8)
    #expect(limits.roofline.limits == early.best(late) && limits.roofline.bandwidth == 8 && limits.least == 2)
    #expect(Timing([3, 1, 2]).least == 1)
  }

  /// BLAS at a lower level than the CPU is found out by its name and by its figures.
  @Test func warningsOfBLAS() {
    for (bytes, level, isWarned) in [(32, 64, true), (16, 32, true), (64, 64, false), (64, 32, false), (0, 64, false)] {
      let library = BLASLibrary(name: "OpenBLAS 1", core: "Old", bytes: bytes, level: "new", levelBytes: level)
      #expect((library.warning != nil) == isWarned, "\(bytes) \(level)")
      guard let text = library.warning else { continue }
      for words in ["Old", "\(bytes)-byte", "new", "\(level)"] { #expect(text.contains(words), "\(text)") }
    }
    #expect(BLASLibrary.warning(Peak(arithmetic: 100, product: 71), "float") == nil)
    #expect(BLASLibrary.warning(Peak(arithmetic: 100, product: 120), "float") == nil)
    let text = BLASLibrary.warning(Peak(arithmetic: 100, product: 52), "float, 2 threads") ?? ""
    #expect(text.contains("0.52") && text.contains("float, 2 threads"), "\(text)")
  }

  @Test func durations() {
    let found = [2.5e-6, 0.00099, 0.0031, 0.25, 1.5].map { Table.duration($0) }
    #expect(found == ["2.5 µs", "990.0 µs", "3.10 ms", "250.00 ms", "1.50 s"])
  }

  /// Exponents may differ by 0.15; steps and threads say how much longer or faster.
  @Test func scaling() {
    func scaling(_ size: Sweep.Size, _ points: [(Int, Double, Double)]) -> Scaling {
      Scaling(
        kernel: "k", precision: "float", threads: 2, size: size,
        points: points.map { .init(value: $0.0, seconds: $0.1, flops: $0.2) })
    }
    let steps = scaling(.d, [(1, 2, 10), (2, 5, 40), (4, 20, 160)])
    #expect(steps.steps.map(\.seconds) == [2.5, 4] && steps.steps.map(\.flops) == [4, 4])
    #expect(ScalingTable.steps(steps) == "2.50 (4.00), 4.00 (4.00)")
    let threads = scaling(.threads, [(1, 6, 1), (2, 4, 1), (4, 1.5, 1)])
    #expect(threads.speedUp == 4)
    #expect(ScalingTable.speedUp(threads) == "1.50 times as fast with 2 threads, 4.00 times as fast with 4 threads")
    #expect(Scaling.tolerance == 0.15)
    for (power, isWithin) in [(2.149, true), (2.151, false), (1.851, true), (1.849, false)] {
      let points = [1, 2, 4].map { ($0, pow(Double($0), power), Double($0 * $0)) }
      #expect(scaling(.d, points).isWithinTolerance == isWithin, "\(power)")
    }
  }
}
