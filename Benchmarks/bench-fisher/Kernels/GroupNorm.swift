import CKernels
import FisherKit
import FisherKitTestSupport

/// Rows of m channels under layer normalisation.
struct GroupNormOperands<T: BenchScalar> {
  let n, m: Int
  let x, w, y, normalized, deviations, delta: Operand<T>
  private let threads: Int32

  static var shapes: [Shape] { [Shape(m: 128, n: 768), Shape(m: 1024, n: 1000)] }

  init(_ shape: Shape, threads: Int32) {
    (n, m, self.threads) = (shape.n!, shape.m!, threads)
    var random = SplitMix64(seed: 33)
    (x, w, delta) = (Operand(random.normal(n * m)), Operand(random.normal(2 * m)), Operand(random.normal(n * m)))
    (y, normalized, deviations) = (Operand(count: n * m), Operand(count: n * m), Operand(count: n))
  }

  func forward() -> fk_status {
    T._kernels.groupNormForward(
      y.pointer, m, normalized.pointer, m, deviations.pointer, x.pointer, m, w.pointer, 2, n, 1, m, 1, 1, 1e-5, threads)
  }

  func backward() -> fk_status {
    T._kernels.groupNormBackward(
      y.pointer, m, delta.pointer, m, normalized.pointer, m, deviations.pointer, w.pointer, 2, n, 1, m, 1, 1, threads)
  }

  func compare(_ found: Operand<T>, _ expected: [Double]) -> Comparison {
    .normwise(found.numbers, expected, tolerance: Tolerance.batchNorm.relative(T.precision, terms: m))
  }
}

final class GroupNormForward<T: BenchScalar>: KernelBench {
  static var kernel: String { "group_norm_forward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { GroupNormOperands<T>.shapes }
  private let operands: GroupNormOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = GroupNormOperands(shape, threads: threads) }

  /// 2 for the mean, 3 for the variance, 4 for what is written.
  var flops: Double { 9 * Double(operands.x.count) }
  var bytes: Double { 3 * operands.x.byteCount }
  func call() -> fk_status { operands.forward() }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.groupNorm(
      x: o.x.numbers, w: o.w.numbers, n: o.n, positions: 1, m: o.m, groups: 1, isCentred: true, epsilon: 1e-5)
    return [o.compare(o.y, expected.y), o.compare(o.normalized, expected.xhat), o.compare(o.deviations, expected.istd)]
  }
}

final class GroupNormBackward<T: BenchScalar>: KernelBench {
  static var kernel: String { "group_norm_backward" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { GroupNormOperands<T>.shapes }
  private let operands: GroupNormOperands<T>

  init(_ shape: Shape, threads: Int32) {
    operands = GroupNormOperands(shape, threads: threads)
    _ = operands.forward()
  }

  /// 4 for the sums, 5 for what is written.
  var flops: Double { 9 * Double(operands.x.count) }
  var bytes: Double { 3 * operands.x.byteCount }
  func call() -> fk_status { operands.backward() }

  func check() -> [Comparison] {
    let o = operands
    let expected = Reference.groupNormBackward(
      dy: o.delta.numbers, xhat: o.normalized.numbers, istd: o.deviations.numbers, w: o.w.numbers, n: o.n, positions: 1,
      m: o.m, groups: 1, isCentred: true)
    return [o.compare(o.y, expected)]
  }
}
