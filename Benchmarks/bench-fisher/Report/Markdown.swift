import FisherKit
import Foundation

/// The table as Benchmarks/RESULTS.md has it: with the floors of each row's time.
enum Markdown {
  static func text(_ results: Results, torch: String?) -> String {
    let lines = results.scalings.isEmpty ? rows(results.measurements, torch: torch) : scalings(results.scalings)
    return (machine(results, torch: torch) + [""] + lines).joined(separator: "\n") + "\n"
  }

  private static func machine(_ results: Results, torch: String?) -> [String] {
    let rows = results.measurements
    var limits: [String] = []
    for row in rows {
      let limit =
        "\(row.precision), \(counted(row.threads)): "
        + "\(fixed(row.roofline.peak, 1)) GFLOP/s, \(fixed(row.roofline.bandwidth, 1)) GB/s "
        + "(multiply-adds \(fixed(row.roofline.limits.arithmetic, 1)), BLAS's product "
        + "\(fixed(row.roofline.limits.product, 1)))"
      if !limits.contains(limit) { limits.append(limit) }
    }
    let level = rows.first.map { ", instructions: \($0.level)" } ?? ""
    let library = BLASLibrary.current
    let load = results.loads.max().map { ", load at most \(fixed($0, 2))" } ?? ""
    let warnings =
      [library.warning].compactMap { $0 }
      + rows.compactMap { BLASLibrary.warning($0.roofline.limits, "\($0.precision), \(counted($0.threads))") }
      .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return [
      "\(Machine.summary)\(level), \(library.summary), large products: \(Compute.products)\(load)"
        + (torch.map { ", PyTorch \($0)" } ?? "") + "."
    ] + warnings.flatMap { ["", $0] } + ["", "Peak and bandwidth of this run:", ""] + limits.map { "- \($0)" }
  }

  private static func rows(_ measurements: [Measurement], torch: String?) -> [String] {
    var header = [
      "kernel", "shape", "type", "P", "median", "spread", "GFLOP/s", "of peak", "bound", "of bound", "GB/s",
      "flops/peak", "bytes/bandwidth", "error",
    ]
    if torch != nil { header += ["PyTorch", "ratio", "formulation"] }
    return [line(header), line(header.indices.map { $0 < 3 ? "---" : "---:" })]
      + measurements.map { line(row($0, withPeer: torch != nil)) }
  }

  private static func row(_ row: Measurement, withPeer: Bool) -> [String] {
    let name = [row.kernel, "\(row.shape)", "\(row.precision)", "\(row.threads)"]
    guard let timing = row.timing, let error = row.error else { return name + ["failed"] }
    let figures = [
      Table.duration(timing.median), Table.percent(timing.spread), fixed(row.gflops!, 1),
      fixed(row.fractionOfPeak!, 3), row.bound.rawValue, fixed(row.fractionOfAttainable!, 3),
      fixed(row.gigabytesPerSecond!, 1), Table.duration(row.secondsAtPeak),
      Table.duration(row.secondsAtBandwidth), Table.scientific(error),
    ]
    guard withPeer else { return name + figures }
    guard let peer = row.peer, let ratio = row.peerRatio else { return name + figures + ["", "", ""] }
    return name + figures + [Table.duration(peer.seconds), fixed(ratio, 2), peer.formulation]
  }

  private static func scalings(_ scalings: [Scaling]) -> [String] {
    let header = [
      "kernel", "type", "size", "P", "from", "to", "exponent", "of flops", "differ by", "step by step (of flops)",
    ]
    return [line(header), line(header.indices.map { $0 < 3 ? "---" : "---:" })] + scalings.map { line(row($0)) }
  }

  private static func row(_ scaling: Scaling) -> [String] {
    let isThreads = scaling.size == .threads
    let name = [
      scaling.kernel, scaling.precision, scaling.size.rawValue, isThreads ? "" : "\(scaling.threads)",
      "\(scaling.points.first!.value)", "\(scaling.points.last!.value)",
    ]
    if isThreads { return name + ["", "", "", ScalingTable.speedUp(scaling)] }
    guard let exponent = scaling.exponent, let expected = scaling.expected, let difference = scaling.difference else {
      return name + ["no fit", "", "", ""]
    }
    return name + [
      fixed(exponent, 2), fixed(expected, 2), ScalingTable.signed(difference), ScalingTable.steps(scaling),
    ]
  }

  private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}
