import CKernels
import FisherKit
import FisherKitTestSupport

/// A mini-batch of images under a convolution of 3×3 that keeps their size, and what its three passes read and write.
struct ConvolutionOperands<T: BenchScalar> {
  let n, side, channels, outputs: Int
  let x, w, delta, z, g, dx: Operand<T>
  let scratch: Scratch
  private let threads: Int32

  /// Of the CNN 16-32-64 on images of 28×28 the two convolutions, and wider ones.
  static var shapes: [Shape] {
    [
      Shape(m: 16, n: 50, side: 28, channels: 1), Shape(m: 32, n: 50, side: 14, channels: 16),
      Shape(m: 32, n: 50, side: 14, channels: 32), Shape(m: 64, n: 50, side: 14, channels: 64),
      Shape(m: 128, n: 10, side: 28, channels: 128),
    ]
  }

  init(_ shape: Shape, threads: Int32) {
    (n, side, channels, outputs) = (shape.n!, shape.side!, shape.channels!, shape.m!)
    self.threads = threads
    var random = SplitMix64(seed: 31)
    let (positions, order) = (n * side * side, 9 * channels + 1)
    (x, w) = (Operand(random.normal(positions * channels)), Operand(random.normal(outputs * order)))
    delta = Operand(random.normal(positions * outputs))
    (z, g, dx) = (
      Operand(count: positions * outputs), Operand(count: outputs * order), Operand(count: positions * channels)
    )
    var raw = Self.raw(side: side, channels: channels, outputs: outputs)
    scratch = Scratch(max(0, T._kernels.convolutionWorkSize(&raw, threads)))
  }

  private static func raw(side: Int, channels: Int, outputs: Int) -> fk_convolution {
    fk_convolution(
      window: fk_window(
        height: side, width: side, kernel_height: 3, kernel_width: 3, stride_y: 1, stride_x: 1, padding_y: 1,
        padding_x: 1, dilation_y: 1, dilation_x: 1), channels: channels, outputs: outputs, groups: 1, image_stride: 0)
  }

  var order: Int { 9 * channels + 1 }
  var window: Reference.Window { .init(side, side, kernel: (3, 3), padding: (1, 1)) }
  /// Of any of the three.
  var flops: Double { 2 * Double(n * side * side) * Double(outputs) * Double(order) }

  func forward() -> fk_status {
    var raw = Self.raw(side: side, channels: channels, outputs: outputs)
    return T._kernels.convolutionForward(
      z.pointer, outputs, x.pointer, channels, w.pointer, order, n, &raw, scratch.pointer, scratch.size, threads)
  }

  func weightGradient() -> fk_status {
    var raw = Self.raw(side: side, channels: channels, outputs: outputs)
    return T._kernels.convolutionWeightGradient(
      g.pointer, order, delta.pointer, outputs, x.pointer, channels, n, &raw, scratch.pointer, scratch.size, threads)
  }

  func inputGradient() -> fk_status {
    var raw = Self.raw(side: side, channels: channels, outputs: outputs)
    return T._kernels.convolutionInputGradient(
      dx.pointer, channels, delta.pointer, outputs, w.pointer, order, n, &raw, scratch.pointer, scratch.size, threads)
  }

  func compare(_ found: Operand<T>, _ expected: [Double], terms: Int) -> Comparison {
    .normwise(found.numbers, expected, tolerance: Tolerance.product.relative(T.precision, terms: terms))
  }

  func backward() -> (g: [Double], dx: [Double]) {
    Reference.convolutionBackward(
      delta: delta.numbers, x: x.numbers, w: w.numbers, window, n: n, channels: channels, outputs: outputs, groups: 1)
  }
}

final class ConvolutionForward<T: BenchScalar>: KernelBench {
  static var kernel: String { "convolution_forward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { ConvolutionOperands<T>.shapes }
  private let operands: ConvolutionOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = ConvolutionOperands(shape, threads: threads) }

  var flops: Double { operands.flops }
  var bytes: Double { operands.x.byteCount + operands.w.byteCount + operands.z.byteCount }
  func call() -> fk_status { operands.forward() }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.convolution(
      x: o.x.numbers, w: o.w.numbers, o.window, n: o.n, channels: o.channels, outputs: o.outputs, groups: 1)
    return [o.compare(o.z, expected, terms: o.order)]
  }
}

final class ConvolutionWeightGradient<T: BenchScalar>: KernelBench {
  static var kernel: String { "convolution_weight_gradient" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { ConvolutionOperands<T>.shapes }
  private let operands: ConvolutionOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = ConvolutionOperands(shape, threads: threads) }

  var flops: Double { operands.flops }
  var bytes: Double { operands.x.byteCount + operands.g.byteCount + operands.delta.byteCount }
  func call() -> fk_status { operands.weightGradient() }

  func check() -> [Comparison] {
    [operands.compare(operands.g, operands.backward().g, terms: operands.n * operands.side * operands.side)]
  }
}

final class ConvolutionInputGradient<T: BenchScalar>: KernelBench {
  static var kernel: String { "convolution_input_gradient" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { ConvolutionOperands<T>.shapes }
  private let operands: ConvolutionOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = ConvolutionOperands(shape, threads: threads) }

  var flops: Double { operands.flops }
  var bytes: Double { operands.dx.byteCount + operands.w.byteCount + operands.delta.byteCount }
  func call() -> fk_status { operands.inputGradient() }

  func check() -> [Comparison] {
    [operands.compare(operands.dx, operands.backward().dx, terms: 9 * operands.outputs)]
  }
}
