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

  var limits: [Limits] = []
  var loads: [Double] = []
  var lastPeak = ContinuousClock.now

  init(types: [Reference.Precision], threads: [Int32], patience: Patience, peer: Peer?) throws {
    (self.types, self.threads, self.patience, self.peer) = (types, threads, patience, peer)
    try measureLimits()
    show("\n" + Table.header(withPeer: peer != nil))
  }

  mutating func row(_ kernel: any KernelBench.Type, _ shape: Shape, _ threads: Int32) throws -> Measurement {
    try measureAgainIfDue()
    var measurement = Measurement(
      kernel, shape, level: Compute.level, threads: threads, roofline: roofline(of: kernel.precision, threads),
      patience: patience)
    if let peer, measurement.timing != nil, let sizes = kernel.peerSizes(shape) {
      let request = PeerRequest(
        kernel: kernel.kernel, sizes: sizes, precision: kernel.precision.rawValue, threads: threads, patience: patience)
      measurement.peer = try peer.time(request, named: "\(kernel.kernel) \(shape)")
    }
    show(Table.row(measurement))
    return measurement
  }
}

func counted(_ threads: Int32) -> String { "\(threads) \(threads == 1 ? "thread" : "threads")" }

/// At once, in a pipe as on a terminal.
func show(_ line: String) { Standard.print(line + "\n") }
