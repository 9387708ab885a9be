import CKernels
import FisherKitTestSupport
import Testing

/// Where naive formulas overflow or cancel: the tails, the neighbourhood of 0, and what is not a number.
@Suite struct ActivationExtremeTests {
  /// Nothing is lost in the tails down to the denormals, nor near 0.
  @Test(arguments: Target.all) func tailsKeepTheirRelativeAccuracy(target: Target) {
    target.run { tailsKeepTheirRelativeAccuracy($0) }
  }

  func tailsKeepTheirRelativeAccuracy<T: KernelPrecision>(_ type: T.Type) {
    let magnitudes = [0, 1e-30, 1e-8, 1e-4, 0.3, 1, 5, 10, 20, 40, 43, 45, 60, 87, 88.5, 100, 103, 350, 372, 700, 709]
    let beyond = [710, 744, 746, 1e4, 1e8, 1e30, Double.infinity]
    let z = (magnitudes + beyond).flatMap { [$0, -$0] }
    for activation in Reference.Activation.cases { check(type, activation, z) }
  }

  /// sech^2 and sigm (1 - sigm) at 40 are about 4 e^-80 and e^-40: a form such as 1 - tanh^2 gives 0.
  @Test(arguments: Target.all) func nuIsPositiveFarFromZero(target: Target) {
    target.run { nuIsPositiveFarFromZero($0) }
  }

  func nuIsPositiveFarFromZero<T: KernelPrecision>(_ type: T.Type) {
    for z in [-40.0, 40] {
      for activation in [Reference.Activation.tanh, .sigm] {
        expect(run(type, activation, [z]).nu.elements[0] > 0, type, "\(activation) z \(z)")
      }
      for activation in Reference.Activation.cases {
        let output = run(type, activation, [100 * z])
        for (name, matrix) in [("value", output.value), ("derivative", output.derivative), ("nu", output.nu)] {
          expect(matrix.elements[0].isFinite, type, "\(name) \(activation) z \(100 * z)")
        }
      }
    }
  }

  /// omega -> 0 is continuous: far from 0 a tiny omega is the hard relu, and nothing overflows on the way.
  @Test(arguments: Target.all) func tinyOmegaIsTheHardRelu(target: Target) {
    target.run { tinyOmegaIsTheHardRelu($0) }
  }

  func tinyOmegaIsTheHardRelu<T: KernelPrecision>(_ type: T.Type) {
    let z = [-1e4, -100, -1, -1e-3, 0, 1e-3, 1, 100, 1e4]
    for iota in [0, 0.25] {
      let hard = run(type, .relu(iota: iota, omega: 0), z)
      for omega in [1e-6, 1e-20, 1e-38, 1e-44, 1e-60, 1e-300, .leastNonzeroMagnitude] {
        let smooth = run(type, .relu(iota: iota, omega: omega), z)
        for i in z.indices where z[i] != 0 {
          let place = "iota \(iota) omega \(omega) z \(z[i])"
          expect(smooth.value.elements[i] == hard.value.elements[i], type, "value \(place)")
          expect(smooth.derivative.elements[i] == hard.derivative.elements[i], type, "derivative \(place)")
        }
        expect(abs(smooth.value.elements[4]) <= omega, type, "value at 0, iota \(iota) omega \(omega)")
      }
      expect(hard.derivative.elements[4] == iota, type, "hard relu: f'(0) is iota")
    }
  }

  @Test(arguments: Target.all) func notANumberPassesThrough(target: Target) {
    target.run { notANumberPassesThrough($0) }
  }

  func notANumberPassesThrough<T: KernelPrecision>(_ type: T.Type) {
    for activation in Reference.Activation.cases {
      for place in 0..<17 {
        var z = [Double](repeating: 0.5, count: 17)
        z[place] = .nan
        let output = run(type, activation, z)
        let value = output.value.elements
        expect(value[place].isNaN, type, "\(activation) element \(place)")
        expect(value.filter(\.isNaN).count == 1, type, "\(activation) element \(place): its neighbours")
        guard isSmooth(activation) else { continue }
        expect(output.derivative.elements[place].isNaN, type, "derivative \(activation) element \(place)")
        expect(output.nu.elements[place].isNaN, type, "nu \(activation) element \(place)")
      }
    }
  }

  /// The others have a derivative by cases, in which a NaN falls into one.
  func isSmooth(_ activation: Reference.Activation) -> Bool {
    switch activation {
    case .tanh, .sigm, .silu, .gelu: true
    case .relu(_, let omega): omega > 0
    case .elu, .linear: false
    }
  }

  func check<T: KernelPrecision>(_ type: T.Type, _ activation: Reference.Activation, _ z: [Double]) {
    let output = run(type, activation, z)
    expectClose(
      type, activation, T.precision.round(z), value: output.value, derivative: output.derivative, nu: output.nu,
      "\(activation)")
  }

  func run<T: KernelPrecision>(
    _ type: T.Type, _ activation: Reference.Activation, _ z: [Double]
  ) -> (value: GuardedMatrix<T>, derivative: GuardedMatrix<T>, nu: GuardedMatrix<T>) {
    let count = z.count
    let input = GuardedMatrix<T>(z, rows: 1, columns: count)
    let value = GuardedMatrix<T>(rows: 1, columns: count)
    let derivative = GuardedMatrix<T>(rows: 1, columns: count)
    let nu = GuardedMatrix<T>(rows: 1, columns: count)
    let status = T.kernels.activation(
      value.pointer, count, derivative.pointer, count, nu.pointer, count, input.pointer, count, 1, count,
      activation.kernelArgument, 1)
    expect(status, type, "\(activation)")
    return (value, derivative, nu)
  }
}
