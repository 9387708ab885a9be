import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Theorem 3, by enumeration: the Fisher matrix of a joint distribution that factorises over subsystems.
@Suite struct WholeModelTests {
  /// x is two fair bits, h two noisy bits fed by x, g two noisy signs fed by h, y one of three classes fed by g.
  private struct Network {
    let widths = [2, 2, 2, 3]
    var offsets: [Int] { [0, 6, 12, 21] }

    /// The weights of layer l, row by row, the bias last.
    func weights(_ theta: [Double], _ l: Int) -> [Double] { Array(theta[offsets[l]..<offsets[l + 1]]) }

    func preactivations(_ theta: [Double], _ l: Int, _ reference: [Double]) -> [Double] {
      let w = weights(theta, l)
      let d = reference.count + 1
      return (0..<w.count / d).map { i in (0..<d).reduce(0) { $0 + w[i * d + $1] * (reference + [1])[$1] } }
    }

    /// log p(output of layer l | what feeds it).
    func logDensity(_ theta: [Double], _ l: Int, _ reference: [Double], _ output: [Double]) -> Double {
      let z = preactivations(theta, l, reference)
      switch l {
      case 0: return zip(output, z).reduce(0) { $0 + Definition.Output.bits.logDensity($1.0, z: $1.1) }
      case 1: return zip(output, z).reduce(0) { $0 + Definition.Output.signs.logDensity($1.0, z: $1.1) }
      default: return z[Int(output[0])] - log(z.reduce(0) { $0 + exp($1) })
      }
    }

    /// Every state (x, h, g, y).
    var states: [[[Double]]] {
      let bits: [[Double]] = [[0, 0], [0, 1], [1, 0], [1, 1]]
      let signs = bits.map { $0.map { 2 * $0 - 1 } }
      return bits.flatMap { x in
        bits.flatMap { h in signs.flatMap { g in (0..<3).map { [x, h, g, [Double($0)]] } } }
      }
    }

    func logJoint(_ theta: [Double], _ state: [[Double]]) -> Double {
      log(0.25) + (0..<3).reduce(0) { $0 + logDensity(theta, $1, state[$1], state[$1 + 1]) }
    }
  }

  @Test func theJointMatrixIsBlockDiagonal() throws {
    let network = Network()
    var random = SplitMix64(seed: 61)
    let theta = random.normal(21)
    let outcomes = network.states.map {
      Definition.Outcome(y: $0.flatMap { $0 }, weight: exp(network.logJoint(theta, $0)))
    }
    #expect(abs(outcomes.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
    let joint = Definition.fisher(at: theta, outcomes: outcomes) { theta, y in
      network.logJoint(theta, [Array(y[0..<2]), Array(y[2..<4]), Array(y[4..<6]), [y[6]]])
    }

    // Each subsystem's expected block: the library's matrix at every reference, weighted by how likely that is.
    let subsystems: [any Subsystem] = [NonlinearLayer(Sigm()), NonlinearLayer(Tanh()), SoftmaxLayer()]
    var expected = Array(repeating: 0.0, count: 21 * 21)
    for state in network.states {
      let weight = exp(network.logJoint(theta, state))
      for (l, subsystem) in subsystems.enumerated() {
        let z = network.preactivations(theta, l, state[l])
        let block = try subsystem.rfim(
          inputs: .make(state[l] + [1], rows: 1, columns: 3),
          preactivations: Matrix<Double>.make(z, rows: 1, columns: z.count)
        ).numbers
        let (first, size) = (network.offsets[l], z.count * 3)
        for i in 0..<size {
          for j in 0..<size { expected[(first + i) * 21 + first + j] += weight * block[i * size + j] }
        }
      }
    }
    let comparison = Comparison.normwise(joint, expected, tolerance: 1e-9)
    #expect(comparison.isAllowed, "\(comparison)")
  }

  /// The parts of a network are its layers' matrices, and a solve is theirs.
  @Test func partsOfAModel() throws {
    let (model, labels) = try smallNetwork(Double.self)
    _ = model.gradients(labels: labels.span)
    let whole = try model.rfim()
    #expect(whole.parts.map(\.name) == ["layer 1", "layer 2", "layer 3"] && whole.parts.map(\.index) == [0, 1, 2])
    #expect(whole.size == 7 * 6 + 6 * 8 + 4 * 7)
    #expect(whole.parts[0].rfim is NeuronBlocks<Double> && whole.parts[2].rfim is SampledBlock<Double>)
    let gradients = model.parameters.map { $0.gradient.numbers }
    try whole.solve(model, damping: 0.1)
    for part in whole.parts {
      let expected = eliminate(try part.rfim.numbers, gradients[part.index], damping: 0.1)
      let comparison = Comparison.normwise(model.parameters[part.index].gradient.numbers, expected, tolerance: 1e-11)
      #expect(comparison.isAllowed, "\(part.name): \(comparison)")
    }
    let spectrum = try whole.spectrum()
    let trace = try whole.parts.reduce(0.0) { $0 + (try $1.rfim.trace()) }
    #expect(spectrum.eigenvalues.count == whole.size && abs(spectrum.trace - trace) < 1e-11 * trace)
  }

  /// y = γx̂ + β with unit Gaussian noise, channel by channel.
  @Test func batchNormalisation() throws {
    let (n, channels) = (6, 3)
    var random = SplitMix64(seed: 62)
    let x = random.normal(n * channels)
    let theta = random.normal(2 * channels)
    let fisher = try BatchNorm().rfim(
      inputs: Matrix<Double>.make(x, rows: n, columns: channels),
      preactivations: Matrix<Double>.make(x, rows: n, columns: channels))
    var expected = Array(repeating: 0.0, count: 4 * channels * channels)
    for s in 0..<n {
      func z(_ theta: [Double]) -> [Double] {
        (0..<channels).map { theta[2 * $0] * x[s * channels + $0] + theta[2 * $0 + 1] }
      }
      let outputs = Array(repeating: Definition.Output.gaussian(sigma: 1) { $0 }, count: channels)
      let matrix = Definition.fisher(at: theta, outcomes: Definition.outcomes(outputs, z: z(theta))) { theta, y in
        let z = z(theta)
        return (0..<channels).reduce(0) { $0 + outputs[$1].logDensity(y[$1], z: z[$1]) }
      }
      for (k, entry) in matrix.enumerated() { expected[k] += entry / Double(n) }
    }
    let comparison = Comparison.normwise(try fisher.numbers, expected, tolerance: 1e-9)
    #expect(comparison.isAllowed, "\(comparison)")
  }
}
