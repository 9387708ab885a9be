import CKernels
import FisherKitTestSupport

/// Which rows of a data set make a mini-batch, and what of them is expected.
private struct Batch {
  let n: Int
  let width: Int
  let rows: [Int32]
  static let scale = 1.0 / 255

  init(_ shape: Shape, of samples: Int, _ random: inout SplitMix64) {
    (n, width) = (shape.n!, shape.d! - 1)
    rows = random.labels(n: n, m: samples)
  }

  func expected(_ source: (Int) -> Double) -> [Double] {
    rows.flatMap { row in (0..<width).map { Batch.scale * source(Int(row) * width + $0) } + [1] }
  }
}

private let samplesInSet = 10_000

/// A mini-batch from the bytes of images.
final class GatherBytes<T: BenchScalar>: KernelBench {
  static var kernel: String { "gather_bytes" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 785, n: 50), Shape(d: 785, n: 1000)] }

  private let batch: Batch
  private let threads: Int32
  private let source: [UInt8]
  private let x: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    var random = SplitMix64(seed: 10)
    batch = Batch(shape, of: samplesInSet, &random)
    self.threads = threads
    source = (0..<samplesInSet * batch.width).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    x = Operand(count: batch.n * (batch.width + 1))
  }

  var flops: Double { Double(batch.n * batch.width) }
  var bytes: Double { Double(batch.n * batch.width) + x.byteCount }

  func call() -> fk_status {
    T._kernels.gatherBytes(
      x.pointer, batch.width + 1, source, batch.rows, batch.n, batch.width, Batch.scale, threads)
  }

  func check() -> [Comparison] {
    let expected = batch.expected { Double(source[$0]) }
    return [.elementwise(x.numbers, expected, tolerance: Tolerance.update.relative(T.precision))]
  }
}

/// A mini-batch from the numbers of a data set.
final class GatherFloats<T: BenchScalar>: KernelBench {
  static var kernel: String { "gather_floats" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(d: 785, n: 50), Shape(d: 785, n: 1000)] }

  private let batch: Batch
  private let threads: Int32
  private let source: [Float]
  private let x: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    var random = SplitMix64(seed: 11)
    batch = Batch(shape, of: samplesInSet, &random)
    self.threads = threads
    source = Float.narrow(random.uniform(samplesInSet * batch.width))
    x = Operand(count: batch.n * (batch.width + 1))
  }

  var flops: Double { Double(batch.n * batch.width) }
  var bytes: Double { Double(4 * batch.n * batch.width) + x.byteCount }

  func call() -> fk_status {
    T._kernels.gatherFloats(
      x.pointer, batch.width + 1, source, batch.rows, batch.n, batch.width, Batch.scale, threads)
  }

  func check() -> [Comparison] {
    let expected = batch.expected { Double(source[$0]) }
    return [.elementwise(x.numbers, expected, tolerance: Tolerance.update.relative(T.precision))]
  }
}
