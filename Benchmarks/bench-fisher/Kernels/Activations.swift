import CKernels
import FisherKit
import FisherKitTestSupport

/// A row of Table 1, as the kernels and as the reference have it.
protocol BenchActivation {
  static var name: String { get }
  static var argument: fk_activation { get }
  static var reference: Reference.Activation { get }
  /// Operations for f, f' and nu_f of one number.
  static var flops: Double { get }
}

/// t = tanh z, 1 - t^2, which is nu too.
enum BenchTanh: BenchActivation {
  static let name = "tanh"
  static let argument = fk_activation(kind: FK_TANH, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.tanh
  static let flops = 3.0
}

/// s = 1 / (1 + e^-z), s (1 - s), which is nu too.
enum BenchSigm: BenchActivation {
  static let name = "sigm"
  static let argument = fk_activation(kind: FK_SIGM, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.sigm
  static let flops = 5.0
}

/// max(z, 0), a comparison, and its square.
enum BenchRelu: BenchActivation {
  static let name = "relu"
  static let argument = fk_activation(kind: FK_RELU, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.relu(iota: 0, omega: 0)
  static let flops = 3.0
}

/// A comparison, alpha (e^z - 1), alpha e^z, and its square.
enum BenchElu: BenchActivation {
  static let name = "elu"
  static let argument = fk_activation(kind: FK_ELU, iota: 0, omega: 0, alpha: 1)
  static let reference = Reference.Activation.elu(alpha: 1)
  static let flops = 6.0
}

/// z, 1 and 1: what moving the numbers costs.
enum BenchLinear: BenchActivation {
  static let name = "linear"
  static let argument = fk_activation(kind: FK_LINEAR, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.linear
  static let flops = 1.0
}

/// s = 1 / (1 + e^-z), z s, s (1 + z (1 - s)), and its square.
enum BenchSilu: BenchActivation {
  static let name = "silu"
  static let argument = fk_activation(kind: FK_SILU, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.silu
  static let flops = 9.0
}

/// p = erfc(c z) / 2, z p, p + c' z e^(-z^2 / 2), and its square.
enum BenchGelu: BenchActivation {
  static let name = "gelu"
  static let argument = fk_activation(kind: FK_GELU, iota: 0, omega: 0, alpha: 0)
  static let reference = Reference.Activation.gelu
  static let flops = 11.0
}

/// f(z), f'(z) and nu_f(z) of a layer.
final class ActivationForward<T: BenchScalar, Row: BenchActivation>: KernelBench {
  static var kernel: String { "activation \(Row.name)" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(m: 80, n: 50), Shape(m: 1000, n: 1000)] }

  private let n: Int
  private let m: Int
  private let threads: Int32
  private let z: Operand<T>
  private let value: Operand<T>
  private let derivative: Operand<T>
  private let nu: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (n, m, self.threads) = (shape.n!, shape.m!, threads)
    var random = SplitMix64(seed: 6)
    z = Operand(random.uniform(n * m, in: -6...6))
    value = Operand(count: n * m)
    derivative = Operand(count: n * m)
    nu = Operand(count: n * m)
  }

  var flops: Double { Row.flops * Double(n * m) }
  var bytes: Double { 4 * z.byteCount }

  func call() -> fk_status {
    T._kernels.activation(
      value.pointer, m, derivative.pointer, m, nu.pointer, m, z.pointer, m, n, m, Row.argument, threads)
  }

  func check() -> [Comparison] {
    let z = z.numbers
    return [
      elementwise(value, z, Row.reference.value, Row.reference.magnitude),
      elementwise(derivative, z, Row.reference.derivative, Row.reference.derivativeMagnitude),
      elementwise(nu, z, Row.reference.nu, Row.reference.nuMagnitude),
    ]
  }

  private func elementwise(
    _ output: Operand<T>, _ z: [Double], _ function: (Double) -> Double, _ magnitude: (Double) -> Double
  ) -> Comparison {
    .elementwise(
      output.numbers, z.map(function), scales: z.map(magnitude), tolerance: Tolerance.activation.relative(T.precision))
  }
}

/// delta = delta f'(z), the way back through a layer.
final class ActivationBackward<T: BenchScalar, Row: BenchActivation>: KernelBench {
  static var kernel: String { "activation_backward \(Row.name)" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { [Shape(m: 80, n: 50), Shape(m: 1000, n: 1000)] }

  private let n: Int
  private let m: Int
  private let threads: Int32
  private let z: Operand<T>
  private let before: Operand<T>
  private let delta: Operand<T>

  init(_ shape: Shape, threads: Int32) {
    (n, m, self.threads) = (shape.n!, shape.m!, threads)
    var random = SplitMix64(seed: 7)
    z = Operand(random.uniform(n * m, in: -6...6))
    before = Operand(random.normal(n * m))
    delta = Operand(count: n * m)
  }

  /// f' and f come at about the same cost; the product is one more.
  var flops: Double { Row.flops * Double(n * m) }
  var bytes: Double { z.byteCount + 2 * delta.byteCount }
  func reset() { delta.copy(from: before) }

  func call() -> fk_status {
    T._kernels.activationBackward(delta.pointer, m, z.pointer, m, n, m, Row.argument, threads)
  }

  func check() -> [Comparison] {
    let expected = zip(before.numbers, z.numbers).map { $0 * Row.reference.derivative($1) }
    let scales = zip(before.numbers, z.numbers).map { $0 * Row.reference.derivativeMagnitude($1) }
    return [
      .elementwise(delta.numbers, expected, scales: scales, tolerance: Tolerance.activation.relative(T.precision))
    ]
  }
}
