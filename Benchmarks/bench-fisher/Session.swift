import CKernels
import FisherKit
import FisherKitTestSupport
import FisherKitToolSupport

/// One run: the machine's limits, then row after row, shown as they come.
struct Session {
  let types: [Reference.Precision]
  let threads: [Int32]
  let patience: Patience
  let peer: Peer?

  /// The limits of a precision with so many threads.
  struct Limits {
    let type: Reference.Precision
    let threads: Int32
    let roofline: Roofline
  }

  private(set) var limits: [Limits] = []

  init(types: [Reference.Precision], threads: [Int32], patience: Patience, peer: Peer?) throws {
    (self.types, self.threads, self.patience, self.peer) = (types, threads, patience, peer)
    show("\(Machine.summary); \(Compute.level); load \(fixed(Machine.load, 2))")
    if let peer { show("PyTorch \(peer.greeting.torch)") }
    for count in threads {
      let bandwidth = try Bandwidth.measure(threads: count, patience: patience).gigabytesPerSecond
      show("memory, \(counted(count)): \(fixed(bandwidth, 1)) GB/s")
      for type in types {
        let roofline = Roofline(peak: try peak(of: type, count), bandwidth: bandwidth)
        limits.append(Limits(type: type, threads: count, roofline: roofline))
      }
    }
    show("\n" + Table.header(withPeer: peer != nil))
  }

  func row(_ kernel: any KernelBench.Type, _ shape: Shape, _ threads: Int32) throws -> Measurement {
    let roofline = limits.first { $0.type == kernel.precision && $0.threads == threads }!.roofline
    var measurement = Measurement(
      kernel, shape, level: Compute.level, threads: threads, roofline: roofline, patience: patience)
    if let peer, measurement.timing != nil, let sizes = kernel.peerSizes(shape) {
      let request = PeerRequest(
        kernel: kernel.kernel, sizes: sizes, precision: kernel.precision.rawValue, threads: threads, patience: patience)
      measurement.peer = try peer.time(request, named: "\(kernel.kernel) \(shape)")
    }
    show(Table.row(measurement))
    return measurement
  }

  /// Measures the peaks once more: whether the machine was as busy at the end as it was at the start.
  func finish() throws {
    show("")
    for limit in limits {
      let drift = try peak(of: limit.type, limit.threads) / limit.roofline.peak - 1
      if abs(drift) > 0.1 {
        show(
          "warning: the peak moved by \(fixed(100 * drift, 0))% during the run: the machine was busy, "
            + "and the fractions are off by as much")
      }
    }
    show("load \(fixed(Machine.load, 2))")
  }

  private func peak(of type: Reference.Precision, _ threads: Int32) throws -> Double {
    let peak =
      try type == .float
      ? Peak.measure(Float.self, threads: threads, patience: patience)
      : Peak.measure(Double.self, threads: threads, patience: patience)
    let name = "\(type == .float ? "sgemm" : "dgemm") 2048"
    show("peak \(name), \(counted(threads)): \(fixed(peak.gflops, 1)) GFLOP/s")
    return peak.gflops
  }
}

func counted(_ threads: Int32) -> String { "\(threads) \(threads == 1 ? "thread" : "threads")" }

/// At once, in a pipe as on a terminal.
func show(_ line: String) { Standard.print(line + "\n") }
