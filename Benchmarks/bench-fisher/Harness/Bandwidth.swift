import CKernels
import FisherKit
import FisherKitTestSupport
import Foundation

/// How fast memory streams: delta = delta f'(z) of the hard relu, which reads two arrays and writes the first of them
/// again, over 2 x 256 MiB. Three operands are counted, and three move: the result is written where it was read, so
/// that no line is fetched only to be overwritten.
struct Bandwidth: Sendable {
  let gigabytesPerSecond: Double

  static func measure(threads: Int32, patience: Patience) throws -> Bandwidth {
    let (rows, columns) = (16384, 4096)
    let delta = Operand<Float>(count: rows * columns)
    let z = Operand<Float>(count: rows * columns)
    for operand in [delta, z] { operand.fill(with: 1) }
    var status = FK_OK
    let timing = Timing.measure(patience) {
      status = Float._kernels.activationBackward(
        delta.pointer, columns, z.pointer, columns, rows, columns, BenchRelu.argument, threads)
    }
    guard status == FK_OK else { throw BenchError.kernel("activation_backward over 512 MiB", status.rawValue) }
    return Bandwidth(gigabytesPerSecond: 3 * delta.byteCount / timing.least / 1e9)
  }
}
