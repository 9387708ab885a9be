/// A neuron's activation f, and with it the neuron's relative Fisher information ν_f(z) x̃x̃ᵀ at pre-activation
/// z = wᵀx̃ (Table 1 of the paper).
///
/// To add one, write its value and derivative and say how its output is distributed; ν follows:
///
///     struct Softsign: Activation {
///       let name = "softsign"
///       let output = NeuronOutput.gaussian
///       func value(at z: Double) -> Double { z / (1 + abs(z)) }
///       func derivative(at z: Double) -> Double { 1 / ((1 + abs(z)) * (1 + abs(z))) }
///     }
///
/// The matrix forms then go through these functions in `Double`, element by element. The built-in activations use C
/// kernels.
///
/// A model with it can be written to a file when it says by which numbers it is made again, here by none:
///
///       init() {}
///       init?(parameters: [String: Double]) { if !parameters.isEmpty { return nil } }
public protocol Activation: Sendable, CustomStringConvertible {
  var name: String { get }
  /// f(z)
  func value(at z: Double) -> Double
  /// f'(z)
  func derivative(at z: Double) -> Double
  /// How the neuron's output is distributed around f(z).
  var output: NeuronOutput { get }
  /// ν_f(z), the neuron's Fisher information about z. By default what `output` implies.
  func nu(at z: Double) -> Double
  /// The activation whose ν the metric uses when a layer names no other. By default this one; the hard relu takes its
  /// smooth form, because its own ν is zero on half of the line.
  var metricForm: any Activation { get }

  /// output = f(z) element by element; z is (n,m), output is (n, m or m+1).
  func values<S: KernelScalar>(_ output: inout Matrix<S>, of z: borrowing Matrix<S>)
  /// delta = delta · f'(z), the backward pass.
  func backward<S: KernelScalar>(_ delta: inout Matrix<S>, of z: borrowing Matrix<S>)
  /// ν = ν_f(z), both (n,m).
  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, of z: borrowing Matrix<S>)

  /// The numbers that make it this one of its kind, by name; by default none.
  var parameters: [String: Double] { get }
  /// The one of this kind with these ``parameters``, as files have them; `nil` where there is none. By default there is
  /// none, and models with such an activation cannot be written.
  init?(parameters: [String: Double])

  /// The C kernel of a built-in activation. For the library only.
  var _kernel: _KernelActivation? { get }
}

/// How a neuron's stochastic output y is distributed, given its mean f(z).
public enum NeuronOutput: Equatable, Sendable {
  /// y is `high` with probability p and `low` otherwise, E y = f(z): ν = p'²/(p(1 − p)) (eq 4).
  case bernoulli(low: Double, high: Double)
  /// y is normal with unit variance, E y = f(z): ν = f'² (eq 8).
  case gaussian
}

extension Activation {
  public var description: String { name }
  public var metricForm: any Activation { self }
  public var _kernel: _KernelActivation? { nil }
  public var parameters: [String: Double] { [:] }
  public init?(parameters: [String: Double]) { return nil }

  public func nu(at z: Double) -> Double {
    let slope = derivative(at: z)
    switch output {
    case .gaussian: return slope * slope
    case .bernoulli(let low, let high):
      let p = (value(at: z) - low) / (high - low)
      let variance = p * (1 - p)
      // A saturated neuron carries no information; a NaN is passed on.
      if variance <= 0 { return 0 }
      return slope * slope / ((high - low) * (high - low)) / variance
    }
  }
}
