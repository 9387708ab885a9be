import CKernels
import FisherKit
import FisherKitTestSupport

/// Images under windows of 2×2 that lie beside each other.
struct PoolOperands<T: BenchScalar> {
  let n, side, channels: Int
  let x, y, dx: Operand<T>
  let places: UnsafeMutablePointer<Int32>
  private let threads: Int32

  static var shapes: [Shape] { [Shape(n: 50, side: 28, channels: 16), Shape(n: 50, side: 14, channels: 32)] }

  init(_ shape: Shape, threads: Int32) {
    (n, side, channels, self.threads) = (shape.n!, shape.side!, shape.channels!, threads)
    var random = SplitMix64(seed: 32)
    let (inputs, outputs) = (n * side * side * channels, n * (side / 2) * (side / 2) * channels)
    (x, y, dx) = (Operand(random.normal(inputs)), Operand(count: outputs), Operand(count: inputs))
    places = .allocate(capacity: outputs)
  }

  var window: Reference.Window { .init(side, side, kernel: (2, 2), stride: (2, 2)) }
  private var raw: fk_window {
    fk_window(
      height: side, width: side, kernel_height: 2, kernel_width: 2, stride_y: 2, stride_x: 2, padding_y: 0,
      padding_x: 0, dilation_y: 1, dilation_x: 1)
  }

  func forward() -> fk_status {
    var raw = raw
    return T._kernels.maxPool(y.pointer, channels, places, x.pointer, channels, n, channels, &raw, threads)
  }

  /// Of the outputs themselves.
  func backward() -> fk_status {
    var raw = raw
    return T._kernels.maxPoolBackward(dx.pointer, channels, y.pointer, channels, places, n, channels, &raw, threads)
  }
}

final class MaxPool<T: BenchScalar>: KernelBench {
  static var kernel: String { "max_pool" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { PoolOperands<T>.shapes }
  private let operands: PoolOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = PoolOperands(shape, threads: threads) }
  deinit { operands.places.deallocate() }

  /// A comparison for each input.
  var flops: Double { Double(operands.x.count) }
  var bytes: Double { operands.x.byteCount + operands.y.byteCount + 4 * Double(operands.y.count) }
  func call() -> fk_status { operands.forward() }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.maxPool(x: o.x.numbers, o.window, n: o.n, channels: o.channels)
    return [.elementwise(o.y.numbers, expected.y, tolerance: 0)]
  }
}

final class MaxPoolBackward<T: BenchScalar>: KernelBench {
  static var kernel: String { "max_pool_backward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { PoolOperands<T>.shapes }
  private let operands: PoolOperands<T>

  init(_ shape: Shape, threads: Int32) {
    operands = PoolOperands(shape, threads: threads)
    _ = operands.forward()
  }
  deinit { operands.places.deallocate() }

  /// An addition for each output.
  var flops: Double { Double(operands.y.count) }
  var bytes: Double { operands.dx.byteCount + operands.y.byteCount + 4 * Double(operands.y.count) }
  func call() -> fk_status { operands.backward() }

  func check() -> [Comparison] {
    let o = operands
    let taps = Reference.maxPool(x: o.x.numbers, o.window, n: o.n, channels: o.channels).taps
    let expected = Reference.poolBackward(dy: o.y.numbers, o.window, n: o.n, channels: o.channels) {
      Int32($1) == taps[$0] ? 1 : 0
    }
    return [.elementwise(o.dx.numbers, expected, tolerance: 0)]
  }
}
