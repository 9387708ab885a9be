import Foundation

/// The divergence that a change of pre-activations makes in what a subsystem puts out, in nats per sample.
public struct OutputDivergence: Equatable, Sendable {
  /// ½ δᵀ G δ of the relative Fisher matrix, which is ½ Σ_i ν_i (z'_i − z_i)² averaged over the samples.
  public var predicted: Double
  /// The mean Kullback-Leibler divergence of the outputs before from those after.
  public var measured: Double

  public init(predicted: Double, measured: Double) {
    self.predicted = predicted
    self.measured = measured
  }
}

extension NeuronOutput {
  /// KL(mean ‖ other) in nats between outputs with these means.
  func divergence(_ mean: Double, _ other: Double) -> Double {
    switch self {
    case .gaussian: return 0.5 * (other - mean) * (other - mean)
    case .bernoulli(let low, let high):
      let (p, q) = ((mean - low) / (high - low), (other - low) / (high - low))
      return term(p, q) + term(1 - p, 1 - q)
    }
  }

  /// p log(p/q); what never happens adds nothing.
  private func term(_ p: Double, _ q: Double) -> Double { p <= 0 ? 0 : p * log(p / max(q, .leastNormalMagnitude)) }
}

extension Subsystem {
  /// Outputs that are independent and normal, with the precision that ν is.
  public func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence {
    let predicted = try independentPrediction(before: z, after: new)
    return OutputDivergence(predicted: predicted, measured: predicted)
  }

  /// ½ Σ ν (z' − z)², averaged over the samples.
  func independentPrediction<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> Double {
    demand(z.rows == new.rows && z.columns == new.columns && z.rows > 0, "pre-activations of one shape")
    var nu = try Matrix<S>(rows: z.rows, columns: z.columns, what: "ν of \(z.rows) samples")
    self.nu(&nu, preactivations: z)
    var sum = 0.0
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        let change = Double(new[s, i]) - Double(z[s, i])
        sum += Double(nu[s, i]) * change * change
      }
    }
    return 0.5 * sum / Double(z.rows)
  }
}

extension NonlinearLayer {
  public func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence {
    let predicted = try independentPrediction(before: z, after: new)
    var sum = 0.0
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        sum += activation.output.divergence(
          activation.value(at: Double(z[s, i])), activation.value(at: Double(new[s, i])))
      }
    }
    return OutputDivergence(predicted: predicted, measured: sum / Double(z.rows))
  }
}

extension SoftmaxLayer {
  /// The classes are coupled: ½ Var_η(z' − z), and KL(η ‖ η') = log Σ η e^{z' − z} − Σ η (z' − z). Any finite logits
  /// give numbers, however far the step was.
  public func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence {
    demand(z.rows == new.rows && z.columns == new.columns && z.rows > 0, "logits of one shape")
    var total = OutputDivergence(predicted: 0, measured: 0)
    for s in 0..<z.rows {
      let logits = (0..<z.columns).map { Double(z[s, $0]) }
      let top = logits.max() ?? 0
      let weights = logits.map { exp($0 - top) }
      let sum = weights.reduce(0, +)
      let changes = (0..<z.columns).map { Double(new[s, $0]) - logits[$0] }
      let mean = zip(weights, changes).reduce(0) { $0 + $1.0 * $1.1 } / sum
      var (variance, growth, furthest) = (0.0, 0.0, 0.0)
      for (weight, change) in zip(weights, changes) {
        variance += weight * (change - mean) * (change - mean)
        growth += weight * expm1(change - mean)
        furthest = max(furthest, change - mean)
      }
      total.predicted += 0.5 * variance / sum
      // The exponential of a change beyond 709 is no number, and a weight may have been too small to be one: the largest
      // is taken out before the sum. Nearer, nothing is, so that the logarithm of what is about 1 keeps its digits.
      if furthest > 500 {
        let exponents = zip(logits, changes).map { ($0 - top) + ($1 - mean) }
        let largest = exponents.max() ?? 0
        total.measured += largest + log(exponents.reduce(0) { $0 + exp($1 - largest) }) - log(sum)
      } else {
        total.measured += log1p(growth / sum)
      }
    }
    let samples = Double(z.rows)
    return OutputDivergence(predicted: total.predicted / samples, measured: total.measured / samples)
  }
}
