import CKernels
import FisherKitTestSupport
import Foundation
import Testing

/// silu and gelu, z G(z): their tails, their limits, and the zero of their derivative.
@Suite struct GatedActivationTests {
  static let cases = [Reference.Activation.silu, .gelu]

  /// Phi and sigm lose nothing down to the smallest denormal, and far beyond it the value is 0.
  @Test(arguments: Target.all) func leftTail(target: Target) { target.run { leftTail($0) } }

  func leftTail<T: KernelPrecision>(_ type: T.Type) {
    let dense = (0..<4000).map { -Double($0) / 100 }
    check(type, .gelu, dense)
    check(type, .silu, dense.map { 20 * $0 })
    // the last places where the value is not 0: 2^-150 and 2^-1075 are rounded up, or down to 0
    check(type, .gelu, (0..<4000).map { (T.precision == .float ? -14 : -38) - Double($0) / 4000 })
    check(type, .silu, (0..<4000).map { (T.precision == .float ? -103 : -740) - Double($0) / 300 })
    for activation in Self.cases {
      let z = [-1e3, -1e4, -1e8, -1e19, -1e30, -T.precision.greatestFinite, -Double.infinity]
      let output = run(type, activation, z)
      for matrix in [output.value, output.derivative, output.nu] {
        expect(matrix.elements.allSatisfy { $0 == 0 }, type, "\(activation) \(matrix.elements)")
      }
    }
  }

  @Test(arguments: Target.all) func rightOfZero(target: Target) { target.run { rightOfZero($0) } }

  func rightOfZero<T: KernelPrecision>(_ type: T.Type) {
    let near = stride(from: -300.0, through: -1, by: 0.5).map { pow(10, T.precision == .float ? $0 / 10 : $0) }
    for activation in Self.cases {
      check(type, activation, (0..<4000).map { Double($0) / 100 })
      check(type, activation, near)
      check(type, activation, near.map { -$0 })
      let z = T.precision.round([1e3, 1e4, 1e8, 1e19, 1e30, T.precision.greatestFinite, .infinity])
      let output = run(type, activation, z)
      expect(output.value.elements == z, type, "\(activation) \(output.value.elements)")
      for matrix in [output.derivative, output.nu] {
        expect(matrix.elements.allSatisfy { $0 == 1 }, type, "\(activation) \(matrix.elements)")
      }
    }
  }

  /// The derivative passes through 0 where it should, to the precision of the two terms that cancel.
  @Test(arguments: Target.all) func zeroOfTheDerivative(target: Target) { target.run { zeroOfTheDerivative($0) } }

  func zeroOfTheDerivative<T: KernelPrecision>(_ type: T.Type) {
    for (activation, zero) in [(Reference.Activation.silu, -1.2784645427610738), (.gelu, -0.7517915246935645)] {
      let around = (-50...50).flatMap { [zero + Double($0) * 1e-7, zero + Double($0) * 1e-15] }
      check(type, activation, around)
      let output = run(type, activation, [zero - 1e-5, zero, zero + 1e-5])
      let slope = output.derivative.elements
      expect(slope[0] < 0 && slope[2] > 0, type, "\(activation) \(slope)")
      expect(abs(slope[1]) < 4 * T.precision.unitRoundoff, type, "\(activation) \(slope)")
      expect(output.nu.elements.allSatisfy { $0 >= 0 }, type, "\(activation) \(output.nu.elements)")
    }
  }

  /// The backward pass has the same limits: a gradient goes through unchanged on the right, and is 0 on the left.
  @Test(arguments: Target.all) func backwardFarFromZero(target: Target) { target.run { backwardFarFromZero($0) } }

  func backwardFarFromZero<T: KernelPrecision>(_ type: T.Type) {
    for activation in Self.cases {
      let z = GuardedMatrix<T>([-.infinity, -1e4, 0, 1e4, .infinity, .nan], rows: 1, columns: 6)
      let delta = GuardedMatrix<T>([3, 3, 3, 3, 3, 3], rows: 1, columns: 6)
      let status = T.kernels.activationBackward(
        delta.pointer, 6, z.pointer, 6, 1, 6, activation.kernelArgument, 1)
      expect(status, type, "\(activation)")
      expect(Array(delta.elements.prefix(5)) == [0, 0, 1.5, 3, 3], type, "\(activation) \(delta.elements)")
      expect(delta.elements[5].isNaN, type, "\(activation) \(delta.elements)")
    }
  }

  /// What `ActivationExtremeTests` does with any activation.
  private func check<T: KernelPrecision>(_ type: T.Type, _ activation: Reference.Activation, _ z: [Double]) {
    ActivationExtremeTests().check(type, activation, z)
  }

  private func run<T: KernelPrecision>(
    _ type: T.Type, _ activation: Reference.Activation, _ z: [Double]
  ) -> (value: GuardedMatrix<T>, derivative: GuardedMatrix<T>, nu: GuardedMatrix<T>) {
    ActivationExtremeTests().run(type, activation, z)
  }
}
