import CKernels
import FisherKitTestSupport

/// A mini-batch of n samples with m channels: what the kernels of batch normalisation read and write.
struct BatchNormOperands<T: BenchScalar> {
  let n: Int
  let m: Int
  let x, parameters, y, normalized: Operand<T>
  let mean, variance, deviation: Operand<T>

  static var shapes: [Shape] { [Shape(m: 80, n: 50), Shape(m: 1024, n: 1000)] }
  static var epsilon: Double { 1e-3 }

  init(_ shape: Shape) {
    (n, m) = (shape.n!, shape.m!)
    var random = SplitMix64(seed: 14)
    (x, parameters) = (Operand(random.normal(n * m)), Operand(random.normal(2 * m)))
    (y, normalized) = (Operand(count: n * m), Operand(count: n * m))
    (mean, variance, deviation) = (Operand(count: m), Operand(count: m), Operand(count: m))
  }

  var count: Double { Double(n * m) }
  /// Of one array.
  var bytes: Double { x.byteCount }

  func forward(threads: Int32) -> fk_status {
    T._kernels.batchNormForward(
      y.pointer, m, normalized.pointer, m, mean.pointer, variance.pointer, deviation.pointer, x.pointer, m,
      parameters.pointer, 2, n, m, Self.epsilon, threads)
  }

  func compare(_ actual: Operand<T>, _ expected: [Double]) -> Comparison {
    .normwise(actual.numbers, expected, tolerance: Tolerance.batchNorm.relative(T.precision))
  }
}

final class BatchNormForward<T: BenchScalar>: KernelBench {
  static var kernel: String { "batch_norm_forward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { BatchNormOperands<T>.shapes }

  private let operands: BatchNormOperands<T>
  private let threads: Int32

  init(_ shape: Shape, threads: Int32) { (operands, self.threads) = (BatchNormOperands(shape), threads) }

  /// 2 for the mean, 4 for the variance, 5 for what is written.
  var flops: Double { 11 * operands.count }
  var bytes: Double { 3 * operands.bytes }
  func call() -> fk_status { operands.forward(threads: threads) }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.batchNorm(
      x: o.x.numbers, w: o.parameters.numbers, n: o.n, m: o.m, epsilon: BatchNormOperands<T>.epsilon)
    return [
      o.compare(o.y, expected.y), o.compare(o.normalized, expected.xhat), o.compare(o.deviation, expected.istd),
    ]
  }
}

final class BatchNormBackward<T: BenchScalar>: KernelBench {
  static var kernel: String { "batch_norm_backward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { BatchNormOperands<T>.shapes }

  private let operands: BatchNormOperands<T>
  private let threads: Int32
  private let delta: Operand<T>
  private let result: Operand<T>
  private let gradient: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (operands, self.threads) = (BatchNormOperands(shape), threads)
    var random = SplitMix64(seed: 15)
    delta = Operand(random.normal(operands.n * operands.m))
    (result, gradient) = (Operand(count: operands.n * operands.m), Operand(count: 2 * operands.m))
    _ = operands.forward(threads: threads)
  }

  /// 3 for the sums, 6 for what is written.
  var flops: Double { 9 * operands.count }
  var bytes: Double { 3 * operands.bytes }

  func call() -> fk_status {
    T._kernels.batchNormBackward(
      result.pointer, operands.m, gradient.pointer, 2, delta.pointer, operands.m, operands.normalized.pointer,
      operands.m, operands.deviation.pointer, operands.parameters.pointer, 2, operands.n, operands.m, threads)
  }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.batchNormBackward(
      dy: delta.numbers, xhat: o.normalized.numbers, istd: o.deviation.numbers, w: o.parameters.numbers, n: o.n,
      m: o.m)
    return [o.compare(result, expected.dx), o.compare(gradient, expected.g)]
  }
}

final class BatchNormEvaluate<T: BenchScalar>: KernelBench {
  static var kernel: String { "batch_norm_evaluate" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { BatchNormOperands<T>.shapes }

  private let operands: BatchNormOperands<T>
  private let threads: Int32

  init(_ shape: Shape, threads: Int32) {
    (operands, self.threads) = (BatchNormOperands(shape), threads)
    _ = operands.forward(threads: threads)
  }

  var flops: Double { 3 * operands.count }
  var bytes: Double { 2 * operands.bytes }

  func call() -> fk_status {
    let o = operands
    return T._kernels.batchNormEvaluate(
      o.y.pointer, o.m, o.x.pointer, o.m, o.mean.pointer, o.variance.pointer, o.parameters.pointer, 2, o.n, o.m,
      BatchNormOperands<T>.epsilon, threads)
  }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.batchNormEvaluate(
      x: o.x.numbers, mean: o.mean.numbers, variance: o.variance.numbers, w: o.parameters.numbers, n: o.n, m: o.m,
      epsilon: BatchNormOperands<T>.epsilon)
    return [o.compare(o.y, expected)]
  }
}
