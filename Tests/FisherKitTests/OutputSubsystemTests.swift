import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// A loss's subsystem has the Fisher matrix of the distribution that the loss is the −log of: the mean, over targets drawn
/// from the outputs, of the loss's own gradients' outer products; and the expected second derivatives of its value.
@Suite struct OutputSubsystemTests {
  /// Every target there is with its probability, given a row of outputs.
  private typealias Draws = (_ z: [Double]) -> [(target: [Double], probability: Double)]

  private func sigma(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

  @Test func softmax() throws {
    try compare(SoftmaxCrossEntropy(), m: 4, isOfClasses: true) { z in
      let eta = Reference.softmax(z: z, n: 1, m: z.count).eta
      return eta.enumerated().map { ([Double($0)], $1) }
    }
  }

  @Test func bernoulli() throws {
    try compare(BernoulliCrossEntropy(), m: 3) { z in
      (0..<8).map { bits in
        let target = (0..<3).map { Double(bits >> $0 & 1) }
        return (target, zip(z, target).reduce(1) { $0 * ($1.1 == 1 ? sigma($1.0) : 1 - sigma($1.0)) })
      }
    }
  }

  /// (the two points z ± σ have the normal distribution's mean and variance)
  @Test(arguments: [1, 0.3, 7]) func squared(sigma: Double) throws {
    try compare(try SquaredError(sigma: sigma), m: 2) { z in
      (0..<4).map { bits in (z.indices.map { z[$0] + (bits >> $0 & 1 == 0 ? sigma : -sigma) }, 0.25) }
    }
  }

  /// (of e^z ≤ 8 nothing is beyond 60)
  @Test func own() throws {
    try compare(Poisson(), m: 1) { z in
      var probability = exp(-exp(z[0]))
      return (0...60).map { count in
        defer { probability *= exp(z[0]) / Double(count + 1) }
        return ([Double(count)], probability)
      }
    }
  }

  private func compare(_ loss: any Loss, m: Int, isOfClasses: Bool = false, _ draws: Draws) throws {
    let (n, d) = (6, 3)
    var generator = SplitMix64(seed: 8)
    let x = generator.samples(n: n, d: d)
    let z = generator.normal(n * m).map { max(-2, min(2, 1.3 * $0)) }
    let inputs = try Matrix<Double>.make(x, rows: n, columns: d)
    let preactivations = try Matrix<Double>.make(z, rows: n, columns: m)
    let found = try loss.outputSubsystem.rfim(inputs: inputs, preactivations: preactivations).dense().numbers
    var (scores, curvatures) = (
      [Double](repeating: 0, count: m * d * m * d), [Double](repeating: 0, count: m * d * m * d)
    )
    for s in 0..<n {
      let row = Array(z[s * m..<(s + 1) * m])
      var (outer, second) = ([Double](repeating: 0, count: m * m), [Double](repeating: 0, count: m * m))
      for (target, probability) in draws(row) {
        let targets =
          isOfClasses
          ? try TargetBatch<Double>(classes: [Int32(target[0])])
          : TargetBatch(numbers: try Matrix<Double>(rows: [target]))
        let delta = try gradient(loss, row, targets)
        let h = 1e-4
        for i in 0..<m {
          var (up, down) = (row, row)
          up[i] += h
          down[i] -= h
          let (above, below) = (try gradient(loss, up, targets), try gradient(loss, down, targets))
          for j in 0..<m {
            outer[i * m + j] += probability * delta[i] * delta[j]
            second[i * m + j] += probability * (above[j] - below[j]) / (2 * h)
          }
        }
      }
      for a in 0..<m * d {
        for b in 0..<m * d {
          let (i, j, weight) = (a / d, b / d, x[s * d + a % d] * x[s * d + b % d] / Double(n))
          scores[a * m * d + b] += outer[i * m + j] * weight
          curvatures[a * m * d + b] += second[i * m + j] * weight
        }
      }
    }
    let (byScores, byCurvatures) = (
      Comparison.normwise(found, scores, tolerance: 1e-12), Comparison.normwise(found, curvatures, tolerance: 1e-7)
    )
    #expect(byScores.isAllowed, "\(loss), outer products: \(byScores)")
    #expect(byCurvatures.isAllowed, "\(loss), second derivatives: \(byCurvatures)")
  }

  private func gradient(_ loss: any Loss, _ z: [Double], _ targets: TargetBatch<Double>) throws -> [Double] {
    let outputs = try Matrix<Double>(rows: [z])
    var delta = try Matrix<Double>(rows: 1, columns: z.count)
    _ = loss.sum(outputs, targets: targets, delta: &delta, scale: 1)
    return delta.numbers
  }
}

/// A loss of a user's own: −log of a Poisson distribution with mean e^z, e^z − t z, but for a constant.
struct Poisson: Loss {
  var description: String { "Poisson" }
  var outputSubsystem: any Subsystem { PoissonLayer() }

  func validate(_ targets: Targets, outputs: Int) throws(FisherError) {
    guard case .numbers(let numbers, outputs) = targets, numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .invalidArgument(what: "targets", expected: "\(outputs) counts a sample", found: "others")
    }
  }

  func sum<S: KernelScalar>(_ z: borrowing Matrix<S>, targets: TargetBatch<S>) -> LossSum {
    var loss = 0.0
    for s in 0..<z.rows {
      for i in 0..<z.columns { loss += exp(Double(z[s, i])) - Double(targets.numbers[s, i]) * Double(z[s, i]) }
    }
    return LossSum(loss: loss)
  }

  func sum<S: KernelScalar>(
    _ z: borrowing Matrix<S>, targets: TargetBatch<S>, delta: inout Matrix<S>, scale: Double
  ) -> LossSum {
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        delta[s, i] = S(scale * (exp(Double(z[s, i])) - Double(targets.numbers[s, i])))
      }
    }
    return sum(z, targets: targets)
  }
}

/// Counts with mean e^z: ν = e^z.
struct PoissonLayer: Subsystem {
  var description: String { "Poisson layer" }
  var hasNormalOutputs: Bool { false }

  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    for s in 0..<z.rows { for i in 0..<z.columns { nu[s, i] = S(exp(Double(z[s, i]))) } }
  }
}
