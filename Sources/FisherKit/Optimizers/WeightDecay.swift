/// How weights are kept small.
///
/// Coupled, as L2: the gradient of ½ l2 ‖W‖² is a part of the gradient, and goes through whatever an optimizer makes of that:
/// g = ∂L/∂W + l2 W. Decoupled (Loshchilov & Hutter 2019): beside its step γδ an optimizer takes W ← W − γ λ W.
///
/// By default biases and the scales of normalisations are left out: those are the last column of a parameter, and the
/// parameters that are not ``Parameter/isDecayed``.
public struct WeightDecay: Equatable, Sendable, CustomStringConvertible {
  /// l2, from 0 up.
  public var coupled: Double
  /// λ, from 0 up.
  public var decoupled: Double
  /// Whether biases decay too.
  public var includesBiases: Bool
  /// Whether the scales of normalisations decay too.
  public var includesNormalizations: Bool

  public init(
    coupled: Double = 0, decoupled: Double = 0, includesBiases: Bool = false, includesNormalizations: Bool = false
  ) {
    (self.coupled, self.decoupled) = (coupled, decoupled)
    (self.includesBiases, self.includesNormalizations) = (includesBiases, includesNormalizations)
  }

  public static var none: WeightDecay { WeightDecay() }
  public static func l2(_ amount: Double) -> WeightDecay { WeightDecay(coupled: amount) }
  public static func decoupled(_ amount: Double) -> WeightDecay { WeightDecay(decoupled: amount) }

  public var description: String {
    let parts = [coupled > 0 ? "L2 \(coupled)" : nil, decoupled > 0 ? "decoupled \(decoupled)" : nil].compactMap { $0 }
    guard !parts.isEmpty else { return "none" }
    return parts.joined(separator: ", ") + (includesBiases ? ", of biases too" : "")
      + (includesNormalizations ? ", of normalisations too" : "")
  }

  func validate() throws(FisherError) {
    try require(coupled >= 0 && coupled <= 1e30, "l2", expected: "a number from 0 to 1e30", found: coupled)
    try require(
      decoupled >= 0 && decoupled <= 1e30, "weight decay", expected: "a number from 0 to 1e30", found: decoupled)
  }

  /// The amounts for a parameter's columns but the last.
  func coupled<S: KernelScalar>(of parameter: Parameter<S>) -> Double { decays(parameter) ? coupled : 0 }
  func decoupled<S: KernelScalar>(of parameter: Parameter<S>) -> Double { decays(parameter) ? decoupled : 0 }

  private func decays<S: KernelScalar>(_ parameter: Parameter<S>) -> Bool {
    parameter.isDecayed || includesNormalizations
  }

  /// Whether the last column decays as well.
  func includesLastColumn<S: KernelScalar>(of parameter: Parameter<S>) -> Bool {
    includesBiases && decays(parameter)
  }
}

extension Parameter {
  /// gradient += l2 · value, where that decays.
  func addCoupled(_ decay: WeightDecay) {
    let amount = decay.coupled(of: self)
    guard amount > 0 else { return }
    gradient.addWeightDecay(value, l2: amount)
    if decay.includesLastColumn(of: self) { addCoupledBias(amount) }
  }

  /// Of the last column alone.
  func addCoupledBias(_ amount: Double) { gradient.add(column: order - 1, of: value, times: amount) }

  /// value −= rate · λ · value, where that decays.
  func shrink(_ decay: WeightDecay, rate: Double) {
    let amount = rate * decay.decoupled(of: self)
    guard amount > 0 else { return }
    value.scaleWeights(by: 1 - amount)
    if decay.includesLastColumn(of: self) { value.scale(column: order - 1, by: 1 - amount) }
  }
}
