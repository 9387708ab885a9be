import FisherKit
import FisherKitTestSupport
import Foundation

/// An activation as the library has it and as the definition does: the distribution of the output, written out anew.
struct Neuron: Sendable, CustomStringConvertible {
  var activation: any Activation
  var output: Definition.Output
  /// Whether f has a kink at 0, which differences must keep away from.
  var hasKink = false
  var description: String { "\(activation)" }

  static var all: [Neuron] {
    get throws {
      try [
        Neuron(activation: Tanh(), output: .signs), Neuron(activation: Sigm(), output: .bits),
        Neuron(activation: Linear(), output: .gaussian(sigma: 1) { $0 }),
        Neuron(activation: Relu(), output: .gaussian(sigma: 1) { max($0, 0) }, hasKink: true),
        Neuron(activation: Relu(iota: 0.1), output: .gaussian(sigma: 1) { max($0, 0.1 * $0) }, hasKink: true),
        Neuron(activation: Relu(omega: 1), output: .gaussian(sigma: 1) { log(1 + exp($0)) }),
        Neuron(
          activation: Relu(iota: 0.2, omega: 0.5),
          output: .gaussian(sigma: 1) { 0.5 * log(exp(0.4 * $0) + exp(2 * $0)) }),
        Neuron(activation: Elu(), output: .gaussian(sigma: 1) { $0 < 0 ? exp($0) - 1 : $0 }, hasKink: true),
        Neuron(
          activation: Elu(alpha: 0.3), output: .gaussian(sigma: 1) { $0 < 0 ? 0.3 * (exp($0) - 1) : $0 }, hasKink: true),
        Neuron(activation: Softplus(), output: .gaussian(sigma: 1) { log(1 + exp($0)) }),
        Neuron(activation: LeakyRelu(), output: .gaussian(sigma: 1) { max($0, 0.01 * $0) }, hasKink: true),
        Neuron(activation: Gelu(), output: .gaussian(sigma: 1) { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }),
        Neuron(activation: Silu(), output: .gaussian(sigma: 1) { $0 / (1 + exp(-$0)) }),
      ]
    }
  }

  /// The mean of the output, where it is what feeds a next layer.
  func mean(_ z: Double) -> Double {
    switch output {
    case .signs: Foundation.tanh(z)
    case .bits: 1 / (1 + exp(-z))
    case .gaussian(_, let mean): mean(z)
    }
  }
}

/// X̃, W and what they make of each other, with no pre-activation near a kink.
struct Sample {
  let n: Int
  let d: Int
  let m: Int
  let x: [Double]
  let w: [Double]

  init(n: Int, d: Int, m: Int, seed: UInt64, keepingClearOf kink: Bool = false) {
    (self.n, self.d, self.m) = (n, d, m)
    var random = SplitMix64(seed: seed)
    var (w, x): ([Double], [Double]) = ([], [])
    // (with d = 1 there is only the bias: then it is for the weights to keep clear)
    repeat {
      w = random.normal(m * d)
      x = []
      for _ in 0..<100 * n where x.count < n * d {
        let row = random.samples(n: 1, d: d)
        let z = (0..<m).map { i in (0..<d).reduce(0) { $0 + w[i * d + $1] * row[$1] } }
        if !kink || z.allSatisfy({ abs($0) > 0.4 }) { x += row }
      }
    } while x.count < n * d
    self.w = w
    self.x = x
  }

  /// z_i = w_iᵀx̃ for other weights of the same shape.
  func preactivations(_ sample: Int, _ w: [Double]) -> [Double] {
    (0..<m).map { i in (0..<d).reduce(0) { $0 + w[i * d + $1] * x[sample * d + $1] } }
  }

  func inputs<S: KernelScalar>(_: S.Type = S.self) throws -> Matrix<S> { try .make(x, rows: n, columns: d) }

  func preactivations<S: KernelScalar>(_: S.Type = S.self) throws -> Matrix<S> {
    try .make((0..<n).flatMap { preactivations($0, w) }, rows: n, columns: m)
  }

  /// (1/n) Σ_s of a matrix for each sample.
  func average(_ matrix: (Int) -> [Double]) -> [Double] {
    var sum = matrix(0)
    for s in 1..<max(n, 1) { for (k, entry) in matrix(s).enumerated() { sum[k] += entry } }
    return sum.map { $0 / Double(n) }
  }
}

extension RFIM {
  var numbers: [Double] { get throws { try dense().numbers } }
}
