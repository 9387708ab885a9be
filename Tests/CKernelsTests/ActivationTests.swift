import CKernels
import FisherKitTestSupport
import Testing

extension Reference.Activation {
  /// Parameters that a float holds exactly, and some that it does not.
  static let cases: [Reference.Activation] = [
    .tanh, .sigm, .linear, .elu(alpha: 1), .elu(alpha: 0.3), .elu(alpha: 0), .relu(iota: 0, omega: 1),
    .relu(iota: 0.25, omega: 0.5), .relu(iota: 0.1, omega: 2), .relu(iota: 0, omega: 0.01), .relu(iota: 0, omega: 0),
    .relu(iota: 0.25, omega: 0), .relu(iota: 0.01, omega: 0), .silu, .gelu,
  ]

  var kernelArgument: fk_activation {
    switch self {
    case .tanh: fk_activation(kind: FK_TANH, iota: 0, omega: 0, alpha: 0)
    case .sigm: fk_activation(kind: FK_SIGM, iota: 0, omega: 0, alpha: 0)
    case .relu(let iota, let omega): fk_activation(kind: FK_RELU, iota: iota, omega: omega, alpha: 0)
    case .elu(let alpha): fk_activation(kind: FK_ELU, iota: 0, omega: 0, alpha: alpha)
    case .linear: fk_activation(kind: FK_LINEAR, iota: 0, omega: 0, alpha: 0)
    case .silu: fk_activation(kind: FK_SILU, iota: 0, omega: 0, alpha: 0)
    case .gelu: fk_activation(kind: FK_GELU, iota: 0, omega: 0, alpha: 0)
    }
  }

  /// With its parameters as the precision holds them.
  func rounded(to precision: Reference.Precision) -> Reference.Activation {
    switch self {
    case .relu(let iota, let omega): .relu(iota: precision.round(iota), omega: precision.round(omega))
    case .elu(let alpha): .elu(alpha: precision.round(alpha))
    case .tanh, .sigm, .linear, .silu, .gelu: self
    }
  }
}

@Suite struct ActivationTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    for activation in Reference.Activation.cases {
      for (n, m) in [(1, 1), (3, 4), (2, 5), (1, 16), (3, 17), (5, 33), (0, 3), (3, 0)] {
        for layout in GuardedMatrix<T>.Layout.allCases { check(type, activation, n: n, m: m, layout: layout) }
      }
    }
    // above the work that is worth a second thread
    for threads in Sizes.threads {
      check(type, .relu(iota: 0.25, omega: 0.5), n: 131, m: 201, layout: .strided, threads: threads)
    }
  }

  func check<T: KernelPrecision>(
    _ type: T.Type, _ activation: Reference.Activation, n: Int, m: Int, layout: GuardedMatrix<T>.Layout,
    threads: Int32 = 1
  ) {
    var random = SplitMix64(seed: 1)
    let z = GuardedMatrix<T>(random.uniform(n * m, in: -20...20), rows: n, columns: m, layout: layout)
    let outputs = (0..<3).map { _ in GuardedMatrix<T>(rows: n, columns: m, layout: layout) }
    let place = "\(activation) n \(n) m \(m) \(layout) threads \(threads)"
    let status = T.kernels.activation(
      outputs[0].pointer, outputs[0].leadingDimension, outputs[1].pointer, outputs[1].leadingDimension,
      outputs[2].pointer, outputs[2].leadingDimension, z.pointer, z.leadingDimension, n, m,
      activation.kernelArgument, threads)
    expect(status, type, place)
    expectIntact(outputs + [z], place)
    expectClose(type, activation, z.elements, value: outputs[0], derivative: outputs[1], nu: outputs[2], place)
  }

  @Test(arguments: Target.all) func anyOutputMayBeLeftOut(target: Target) { target.run { anyOutputMayBeLeftOut($0) } }

  func anyOutputMayBeLeftOut<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (2, 19)
    var random = SplitMix64(seed: 2)
    let z = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m)
    for activation in Reference.Activation.cases {
      for wanted in 0..<8 {
        let outputs = (0..<3).map { wanted >> $0 & 1 == 1 ? GuardedMatrix<T>(rows: n, columns: m) : nil }
        let status = T.kernels.activation(
          outputs[0]?.pointer, m, outputs[1]?.pointer, m, outputs[2]?.pointer, m, z.pointer, m, n, m,
          activation.kernelArgument, 1)
        let place = "\(activation) outputs \(wanted)"
        expect(status, type, place)
        expectClose(type, activation, z.elements, value: outputs[0], derivative: outputs[1], nu: outputs[2], place)
      }
    }
  }

  @Test(arguments: Target.all) func backwardMultipliesByTheDerivative(target: Target) {
    target.run { backwardMultipliesByTheDerivative($0) }
  }

  func backwardMultipliesByTheDerivative<T: KernelPrecision>(_ type: T.Type) {
    for activation in Reference.Activation.cases {
      for (n, m, threads) in [(1, 1, 1), (3, 7, 1), (2, 16, 1), (3, 35, 1), (131, 201, 3)] {
        var random = SplitMix64(seed: 3)
        let z = GuardedMatrix<T>(random.uniform(n * m, in: -9...9), rows: n, columns: m, layout: .strided)
        let delta = GuardedMatrix<T>(random.normal(n * m), rows: n, columns: m, layout: .strided)
        let rounded = activation.rounded(to: T.precision)
        let expected = zip(delta.elements, z.elements).map { $0 * rounded.derivative($1) }
        let scales = zip(delta.elements, z.elements).map { $0 * rounded.derivativeMagnitude($1) }
        let status = T.kernels.activationBackward(
          delta.pointer, delta.leadingDimension, z.pointer, z.leadingDimension, n, m, activation.kernelArgument,
          Int32(threads))
        let place = "\(activation) n \(n) m \(m) threads \(threads)"
        expect(status, type, place)
        expectIntact([z, delta], place)
        expectClose(type, rounded, z.elements, delta.elements, expected, scales: scales, place)
      }
    }
  }
}

/// Compares those outputs there are with Table 1, each element relative to itself, or to the terms that cancel in it.
func expectClose<T: KernelPrecision>(
  _ type: T.Type, _ activation: Reference.Activation, _ z: [Double], value: GuardedMatrix<T>?,
  derivative: GuardedMatrix<T>?, nu: GuardedMatrix<T>?, _ place: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let rounded = activation.rounded(to: T.precision)
  let outputs = [
    ("value", value, rounded.value, rounded.magnitude),
    ("derivative", derivative, rounded.derivative, rounded.derivativeMagnitude),
    ("nu", nu, rounded.nu, rounded.nuMagnitude),
  ]
  for (name, output, function, magnitude) in outputs {
    guard let output else { continue }
    expectClose(
      type, rounded, z, output.elements, z.map(function), scales: z.map(magnitude), "\(name) \(place)",
      sourceLocation: sourceLocation)
  }
}

private func expectClose<T: KernelPrecision>(
  _ type: T.Type, _ activation: Reference.Activation, _ z: [Double], _ actual: [Double], _ expected: [Double],
  scales: [Double], _ place: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let comparison = Comparison.elementwise(
    actual, expected, scales: zip(z, scales).map { activation.condition($0) * $1 },
    floor: 8 * T.precision.smallestDenormal, tolerance: Tolerance.activation.relative(T.precision))
  let argument = z.isEmpty ? 0 : z[comparison.index]
  expect(comparison, type, "\(place) z \(argument)", sourceLocation: sourceLocation)
}
