import CKernels
import FisherKitTestSupport

/// The weights of a layer before a step, its gradient and the optimizer's memory: m neurons of d weights.
struct UpdateOperands<T: BenchScalar> {
  let m: Int
  let d: Int
  let gradient: Operand<T>
  let weights: Operand<T>
  let first: Operand<T>
  let second: Operand<T>
  private let start: [Operand<T>]

  static var shapes: [Shape] { [Shape(d: 785, m: 80), Shape(d: 1025, m: 1024)] }

  init(_ shape: Shape) {
    (m, d) = (shape.m!, shape.d!)
    let count = m * d
    var random = SplitMix64(seed: 12)
    gradient = Operand(random.normal(count))
    start = [Operand(random.normal(count)), Operand(random.normal(count)), Operand(random.uniform(count, in: 0...1))]
    (weights, first, second) = (Operand(count: count), Operand(count: count), Operand(count: count))
  }

  var count: Int { m * d }
  /// Of one array.
  var bytes: Double { gradient.byteCount }

  func reset() {
    for (operand, source) in zip([weights, first, second], start) { operand.copy(from: source) }
  }

  /// The weights, first and second moments before the call.
  var before: [[Double]] { start.map(\.numbers) }

  /// Each element relative to the magnitudes it was made of.
  func compare(_ actual: Operand<T>, _ expected: [Double], _ operands: [[Double]]) -> Comparison {
    let scales = expected.indices.map { i in operands.reduce(abs(expected[i])) { $0 + abs($1[i]) } }
    return .elementwise(
      actual.numbers, expected, scales: scales, tolerance: Tolerance.update.relative(T.precision))
  }
}

/// G += l2 W, the biases left out.
final class AddWeightDecay<T: BenchScalar>: KernelBench {
  static var kernel: String { "add_weight_decay" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let operands: UpdateOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = UpdateOperands(shape) }

  var flops: Double { 2 * Double(operands.count) }
  var bytes: Double { 3 * operands.bytes }
  func reset() { operands.reset() }

  // the "weights" stand for the gradient, which is what a call changes
  func call() -> fk_status {
    T._kernels.addWeightDecay(
      operands.weights.pointer, operands.d, operands.gradient.pointer, operands.d, operands.m, operands.d, 1e-3)
  }

  func check() -> [Comparison] {
    let (g, w) = (operands.before[0], operands.gradient.numbers)
    let expected = Reference.weightDecay(g: g, w: w, m: operands.m, d: operands.d, l2: 1e-3)
    return [operands.compare(operands.weights, expected, [g, w])]
  }
}

final class UpdateSGD<T: BenchScalar>: KernelBench {
  static var kernel: String { "update_sgd" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let operands: UpdateOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = UpdateOperands(shape) }

  var flops: Double { 4 * Double(operands.count) }
  var bytes: Double { 3 * operands.bytes }
  func reset() { operands.reset() }

  func call() -> fk_status {
    T._kernels.updateSGD(
      operands.weights.pointer, operands.d, operands.gradient.pointer, operands.d, operands.m, operands.d, 0.1, 1e-3)
  }

  func check() -> [Comparison] {
    let (w, g) = (operands.before[0], operands.gradient.numbers)
    let decayed = Reference.weightDecay(g: g, w: w, m: operands.m, d: operands.d, l2: 1e-3)
    return [operands.compare(operands.weights, Reference.sgd(w: w, g: decayed, rate: 0.1), [w, g])]
  }
}

final class UpdateMomentum<T: BenchScalar>: KernelBench {
  static var kernel: String { "update_momentum" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let operands: UpdateOperands<T>

  init(_ shape: Shape, threads: Int32) { operands = UpdateOperands(shape) }

  var flops: Double { 4 * Double(operands.count) }
  var bytes: Double { 5 * operands.bytes }
  func reset() { operands.reset() }

  func call() -> fk_status {
    T._kernels.updateMomentum(
      operands.weights.pointer, operands.first.pointer, operands.gradient.pointer, operands.count, 0.1, 0.9)
  }

  func check() -> [Comparison] {
    let (before, g) = (operands.before, operands.gradient.numbers)
    let expected = Reference.momentum(w: before[0], v: before[1], g: g, rate: 0.1, momentum: 0.9)
    return [
      operands.compare(operands.first, expected.v, [before[1], g]),
      operands.compare(operands.weights, expected.w, [before[0], before[1], g]),
    ]
  }
}

final class UpdateAdam<T: BenchScalar>: KernelBench {
  static var kernel: String { "update_adam" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { UpdateOperands<T>.shapes }

  private let operands: UpdateOperands<T>
  private let (rate, beta1, beta2, epsilon) = (0.01, 0.9, 0.999, 1e-8)

  init(_ shape: Shape, threads: Int32) { operands = UpdateOperands(shape) }

  /// 3 for the first moment, 4 for the second, 5 with the root and the quotient for the weight.
  var flops: Double { 12 * Double(operands.count) }
  var bytes: Double { 7 * operands.bytes }
  func reset() { operands.reset() }

  func call() -> fk_status {
    T._kernels.updateAdam(
      operands.weights.pointer, operands.first.pointer, operands.second.pointer, operands.gradient.pointer,
      operands.count, rate, beta1, beta2, epsilon)
  }

  func check() -> [Comparison] {
    let (before, g) = (operands.before, operands.gradient.numbers)
    let expected = Reference.adam(
      w: before[0], first: before[1], second: before[2], g: g, rate: rate, beta1: T.precision.round(beta1),
      beta2: T.precision.round(beta2), epsilon: epsilon)
    return [
      operands.compare(operands.first, expected.first, [before[1], g]),
      operands.compare(operands.second, expected.second, [before[2]]),
      // a second moment near 0 makes the step large: relative to the step as well
      operands.compare(
        operands.weights, expected.w, [before[0], zip(before[0], expected.w).map { $0 - $1 }]),
    ]
  }
}
