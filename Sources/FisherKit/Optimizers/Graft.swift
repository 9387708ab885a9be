import Foundation

/// The length of each parameter's step by another optimizer (Agarwal et al. 2020): a step goes in the direction of δ, and as
/// far as the other's would, whose learning rates then do.
public enum Graft: String, CaseIterable, Sendable {
  case none
  /// ‖g‖: as far as the gradient's.
  case sgd
  /// ‖ĝ/(√v̂ + ε)‖ with v ← β₂ v + (1 − β₂) g², β₂ 0.999 and ε 1e-8: as far as Adam's without momentum.
  case adam
}

/// The lengths of one parameter's steps.
final class GraftLength<Scalar: KernelScalar>: State {
  private let graft: Graft
  private var second: Matrix<Scalar>
  private var steps = 0
  private var length = 0.0

  private static var beta2: Double { 0.999 }
  private static var epsilon: Double { 1e-8 }

  init(_ graft: Graft, like parameter: Parameter<Scalar>) throws(FisherError) {
    self.graft = graft
    second = try Matrix(
      rows: graft == .adam ? parameter.neurons : 0, columns: parameter.order, what: "\(parameter.name): second moment")
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("second moment", &second)
    try visitor.visit("steps", &steps, in: 0...(.max))
  }

  /// Takes the gradient of the step.
  func take(_ gradient: borrowing Matrix<Scalar>) {
    steps += 1
    switch graft {
    case .none: break
    case .sgd: length = gradient.dot(gradient).squareRoot()
    case .adam:
      length = second.adamSquare(
        of: gradient, beta2: Self.beta2, correction: 1 - pow(Self.beta2, Double(steps)), epsilon: Self.epsilon
      ).squareRoot()
    }
  }

  /// What δ is to be multiplied by.
  func factor(for direction: borrowing Matrix<Scalar>) -> Double {
    guard graft != .none else { return 1 }
    let square = direction.dot(direction)
    return square > 0 && square.isFinite && length.isFinite ? length / square.squareRoot() : 1
  }

  func restart() {
    second.setToZero()
    steps = 0
  }
}

extension Matrix {
  /// self = β₂ self + (1 − β₂) g², element by element.
  /// - Returns: the sum of (g/(√(self/correction) + ε))².
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func adamSquare(
    of gradient: borrowing Matrix, beta2: Double, correction: Double, epsilon: Double
  ) -> Double {
    demandShape(of: gradient)
    let (elements, from) = (storage.base, gradient.storage.base)
    let (keep, take, scale, epsilon) = (Scalar(beta2), Scalar(1 - beta2), Scalar(1 / correction), Scalar(epsilon))
    var sum = 0.0
    for i in 0..<inUse {
      let g = from[i]
      elements[i] = keep * elements[i] + take * (g * g)
      let step = g / ((elements[i] * scale).squareRoot() + epsilon)
      sum += Double(step * step)
    }
    return sum
  }
}
