import Foundation

/// The steps of AdamW, β 0.9 and 0.999, on the biases of a parameter, or on all of it where that is no matrix of weights.
final class AdamPart<Scalar: KernelScalar>: State {
  private let parameter: Parameter<Scalar>
  private let onlyBiases: Bool
  /// Of biases a column of their own.
  private var value: Matrix<Scalar>
  private var gradient: Matrix<Scalar>
  private var first: Matrix<Scalar>
  private var second: Matrix<Scalar>
  private var steps = 0

  private static var beta1: Double { 0.9 }
  private static var beta2: Double { 0.999 }
  private static var epsilon: Double { 1e-8 }

  init(_ parameter: Parameter<Scalar>, onlyBiases: Bool) throws(FisherError) {
    (self.parameter, self.onlyBiases) = (parameter, onlyBiases)
    let (rows, columns) = (parameter.neurons, onlyBiases ? 1 : parameter.order)
    let what = "\(parameter.name): \(onlyBiases ? "biases" : "moments")"
    value = try Matrix(rows: rows, columns: columns, what: what)
    gradient = try Matrix(rows: rows, columns: columns, what: what)
    first = try Matrix(rows: rows, columns: columns, what: what)
    second = try Matrix(rows: rows, columns: columns, what: what)
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("first moment", &first)
    try visitor.visit("second moment", &second)
    visitor.scratch("value", value)
    visitor.scratch("gradient", gradient)
  }

  private var columns: Range<Int> { (parameter.order - value.columns)..<parameter.order }

  /// Takes the gradient of the step, before the parameter's is overwritten.
  func take(steps: Int) {
    self.steps = steps
    gradient.copyColumns(columns, of: parameter.gradient, to: 0)
  }

  func descend(rate: Double, decay: WeightDecay) {
    value.copyColumns(columns, of: parameter.value, to: 0)
    let amount = rate * decay.decoupled(of: parameter)
    if amount > 0 {
      // (of a column by itself all are biases)
      if !onlyBiases { value.scaleWeights(by: 1 - amount) }
      if decay.includesLastColumn(of: parameter) { value.scale(column: value.columns - 1, by: 1 - amount) }
    }
    let correction1 = 1 - pow(Self.beta1, Double(steps))
    let correction2 = (1 - pow(Self.beta2, Double(steps))).squareRoot()
    value.descendAdam(
      gradient, first: &first, second: &second, rate: rate * correction2 / correction1, beta1: Self.beta1,
      beta2: Self.beta2, epsilon: Self.epsilon * correction2)
    parameter.value.copyColumns(0..<value.columns, of: value, to: columns.lowerBound)
  }

  func restart() {
    first.setToZero()
    second.setToZero()
  }
}
