internal import CKernels

/// An activation that has a C kernel.
public struct _KernelActivation: Sendable {
  fileprivate let kernel: fk_activation

  static let tanh = _KernelActivation(kernel: fk_activation(kind: FK_TANH, iota: 0, omega: 0, alpha: 0))
  static let sigm = _KernelActivation(kernel: fk_activation(kind: FK_SIGM, iota: 0, omega: 0, alpha: 0))
  static let linear = _KernelActivation(kernel: fk_activation(kind: FK_LINEAR, iota: 0, omega: 0, alpha: 0))

  static func relu(iota: Double, omega: Double) -> _KernelActivation {
    _KernelActivation(kernel: fk_activation(kind: FK_RELU, iota: iota, omega: omega, alpha: 0))
  }

  static func elu(alpha: Double) -> _KernelActivation {
    _KernelActivation(kernel: fk_activation(kind: FK_ELU, iota: 0, omega: 0, alpha: alpha))
  }

  func value<S: KernelScalar>(_ output: inout Matrix<S>, of z: borrowing Matrix<S>) {
    precondition(z.columns <= output.columns && z.rows == output.rows, "an output of another shape")
    check(
      S._kernels.activation(
        output.storage.base, output.stride, nil, 0, nil, 0, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }

  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, of z: borrowing Matrix<S>) {
    precondition(z.columns == nu.columns && z.rows == nu.rows, "ν of another shape")
    check(
      S._kernels.activation(
        nil, 0, nil, 0, nu.storage.base, nu.stride, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }

  func backward<S: KernelScalar>(_ delta: inout Matrix<S>, of z: borrowing Matrix<S>) {
    precondition(z.columns <= delta.columns && z.rows == delta.rows, "a delta of another shape")
    check(
      S._kernels.activationBackward(
        delta.storage.base, delta.stride, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }
}
