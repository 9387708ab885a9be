internal import CKernels

/// An activation that has a C kernel.
public struct _KernelActivation: Sendable {
  private let kernel: fk_activation

  static let tanh = _KernelActivation(FK_TANH)
  static let sigm = _KernelActivation(FK_SIGM)
  static let linear = _KernelActivation(FK_LINEAR)
  static let silu = _KernelActivation(FK_SILU)
  static let gelu = _KernelActivation(FK_GELU)
  static func relu(iota: Double, omega: Double) -> _KernelActivation { .init(FK_RELU, iota: iota, omega: omega) }
  static func elu(alpha: Double) -> _KernelActivation { .init(FK_ELU, alpha: alpha) }

  private init(_ kind: fk_activation_kind, iota: Double = 0, omega: Double = 0, alpha: Double = 0) {
    kernel = fk_activation(kind: kind, iota: iota, omega: omega, alpha: alpha)
  }

  func value<S: KernelScalar>(_ output: inout Matrix<S>, of z: borrowing Matrix<S>) {
    demand(z.columns <= output.columns && z.rows == output.rows, "an output of another shape")
    check(
      S._kernels.activation(
        output.storage.base, output.stride, nil, 0, nil, 0, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }

  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, of z: borrowing Matrix<S>) {
    demand(z.columns == nu.columns && z.rows == nu.rows, "ν of another shape")
    check(
      S._kernels.activation(
        nil, 0, nil, 0, nu.storage.base, nu.stride, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }

  func backward<S: KernelScalar>(_ delta: inout Matrix<S>, of z: borrowing Matrix<S>) {
    demand(z.columns <= delta.columns && z.rows == delta.rows, "a delta of another shape")
    check(
      S._kernels.activationBackward(
        delta.storage.base, delta.stride, z.storage.base, z.stride, z.rows, z.columns, kernel, 0))
  }
}
