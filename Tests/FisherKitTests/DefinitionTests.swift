import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Every relative Fisher matrix against its definition: all outcomes enumerated, scores by differences of log p.
@Suite struct DefinitionTests {
  private func expectEqual(
    _ found: [Double], _ expected: [Double], _ place: String, tolerance: Double = 1e-9,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let comparison = Comparison.normwise(found, expected, tolerance: tolerance)
    #expect(comparison.isAllowed, "\(place): \(comparison)", sourceLocation: sourceLocation)
  }

  /// A matrix by its definition, from the outcomes at θ and log p.
  private typealias Form = ([Double], [Definition.Outcome], ([Double], [Double]) -> Double) -> [Double]

  private let byScores: Form = { Definition.fisher(at: $0, outcomes: $1, logDensity: $2) }
  private let byHessian: Form = { Definition.negativeHessian(at: $0, outcomes: $1, logDensity: $2) }

  /// For independent outputs with pre-activations z(s, θ), averaged over samples.
  private func definition(
    _ form: Form, _ sample: Sample, _ outputs: [Definition.Output],
    z: @escaping (Int, [Double]) -> [Double]
  ) -> [Double] {
    sample.average { s in
      form(sample.w, Definition.outcomes(outputs, z: z(s, sample.w))) { theta, y in
        let z = z(s, theta)
        return outputs.indices.reduce(0) { $0 + outputs[$1].logDensity(y[$1], z: z[$1]) }
      }
    }
  }

  /// All built-in activations are held to their definition here.
  @Test func noActivationIsForgotten() throws {
    #expect(Set(try Neuron.all.map { $0.activation.name }).isSuperset(of: builtInActivations.map(\.name)))
  }

  @Test(arguments: try Neuron.all) func neuron(neuron: Neuron) throws {
    for (n, d) in [(1, 1), (1, 3), (4, 3), (7, 2)] {
      let sample = Sample(n: n, d: d, m: 1, seed: 3, keepingClearOf: neuron.hasKink)
      let fisher = try NonlinearLayer(neuron.activation).rfim(
        inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
      let found = try fisher.numbers
      let place = "\(neuron) n \(n) d \(d)"
      expectEqual(found, definition(byScores, sample, [neuron.output]) { sample.preactivations($0, $1) }, place)
      expectEqual(
        found, definition(byHessian, sample, [neuron.output]) { sample.preactivations($0, $1) }, "Hessian \(place)",
        tolerance: 1e-7)
    }
  }

  @Test(arguments: try Neuron.all) func nonlinearLayer(neuron: Neuron) throws {
    let sample = Sample(n: 4, d: 3, m: 3, seed: 4, keepingClearOf: neuron.hasKink)
    let fisher = try NonlinearLayer(neuron.activation).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    let outputs = Array(repeating: neuron.output, count: 3)
    expectEqual(
      try fisher.numbers, definition(byScores, sample, outputs) { sample.preactivations($0, $1) }, "\(neuron)")
  }

  @Test(arguments: [0.5, 1, 3]) func linearLayer(sigma: Double) throws {
    let sample = Sample(n: 5, d: 3, m: 2, seed: 5)
    let fisher = try LinearLayer(sigma: sigma).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    let outputs = Array(repeating: Definition.Output.gaussian(sigma: sigma) { $0 }, count: 2)
    let found = try fisher.numbers
    expectEqual(found, definition(byScores, sample, outputs) { sample.preactivations($0, $1) }, "σ \(sigma)")
    expectEqual(
      found, definition(byHessian, sample, outputs) { sample.preactivations($0, $1) }, "Hessian σ \(sigma)",
      tolerance: 1e-7)
  }

  private func logSoftmax(_ z: [Double], _ k: Int) -> Double { z[k] - log(z.reduce(0) { $0 + exp($1) }) }

  private func classes(_ z: [Double]) -> [Definition.Outcome] {
    z.indices.map { Definition.Outcome(y: [Double($0)], weight: exp(logSoftmax(z, $0))) }
  }

  @Test(arguments: [(1, 1, 1), (3, 2, 2), (4, 3, 4), (1, 2, 5)])
  func softmaxLayer(n: Int, d: Int, m: Int) throws {
    let sample = Sample(n: n, d: d, m: m, seed: 6)
    let fisher = try SoftmaxLayer().rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    func matrix(_ form: Form) -> [Double] {
      sample.average { s in
        form(sample.w, classes(sample.preactivations(s, sample.w))) { w, y in
          logSoftmax(sample.preactivations(s, w), Int(y[0]))
        }
      }
    }
    let scale = m == 1 ? 1.0 : 0
    let found = try fisher.numbers
    for (form, tolerance) in [(byScores, 1e-9), (byHessian, 1e-7)] {
      let comparison = Comparison.normwise(found, matrix(form), scale: scale, tolerance: tolerance)
      #expect(comparison.isAllowed, "tolerance \(tolerance): \(comparison)")
    }
  }

  /// W is what is learned; C (D_y, m + 1) is given. Hidden units pass on their means.
  @Test(arguments: try Neuron.all, try Neuron.all) func twoLayers(hidden: Neuron, outer: Neuron) throws {
    let (m, outputs) = (2, 2)
    let sample = Sample(n: 3, d: 3, m: m, seed: 7, keepingClearOf: hidden.hasKink)
    let c = clearWeights(sample, hidden, outputs: outputs, keepingClearOf: outer.hasKink)
    func above(_ s: Int, _ w: [Double]) -> [Double] {
      let h = sample.preactivations(s, w).map(hidden.mean) + [1]
      return (0..<outputs).map { l in (0...m).reduce(0) { $0 + c[l * (m + 1) + $1] * h[$1] } }
    }
    let fisher = try TwoLayers(hidden: hidden.activation, outer: NonlinearLayer(outer.activation)).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations(),
      outerWeights: .make(c, rows: outputs, columns: m + 1))
    let expected = definition(byScores, sample, Array(repeating: outer.output, count: outputs), z: above)
    expectEqual(try fisher.numbers, expected, "\(hidden) under \(outer)")
    guard !hidden.hasKink, !outer.hasKink else { return }
    let hessian = definition(byHessian, sample, Array(repeating: outer.output, count: outputs), z: above)
    expectEqual(try fisher.numbers, hessian, "Hessian \(hidden) under \(outer)", tolerance: 1e-6)
  }

  /// Outer weights with which no output is near a kink of its activation, whatever small step W takes.
  private func clearWeights(_ sample: Sample, _ hidden: Neuron, outputs: Int, keepingClearOf kink: Bool) -> [Double] {
    var random = SplitMix64(seed: 8)
    let m = sample.m
    while true {
      let c = random.normal(outputs * (m + 1))
      let z = (0..<sample.n).flatMap { s in
        let h = sample.preactivations(s, sample.w).map(hidden.mean) + [1]
        return (0..<outputs).map { l in (0...m).reduce(0) { $0 + c[l * (m + 1) + $1] * h[$1] } }
      }
      if !kink || z.allSatisfy({ abs($0) > 0.5 }) { return c }
    }
  }

  @Test(arguments: try Neuron.all) func hiddenLayerUnderASoftmax(hidden: Neuron) throws {
    let (m, outputs) = (3, 4)
    let sample = Sample(n: 3, d: 2, m: m, seed: 9, keepingClearOf: hidden.hasKink)
    var random = SplitMix64(seed: 10)
    let c = random.normal(outputs * (m + 1))
    func above(_ s: Int, _ w: [Double]) -> [Double] {
      let h = sample.preactivations(s, w).map(hidden.mean) + [1]
      return (0..<outputs).map { l in (0...m).reduce(0) { $0 + c[l * (m + 1) + $1] * h[$1] } }
    }
    let fisher = try TwoLayers(hidden: hidden.activation, outer: SoftmaxLayer()).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations(),
      outerWeights: .make(c, rows: outputs, columns: m + 1))
    let expected = sample.average { s in
      Definition.fisher(at: sample.w, outcomes: classes(above(s, sample.w))) { w, y in
        logSoftmax(above(s, w), Int(y[0]))
      }
    }
    expectEqual(try fisher.numbers, expected, "\(hidden)")
  }

  /// Sampled outcomes: the error of the mean of N outer products of scores falls as 1/√N.
  @Test func sampledScoresConverge() throws {
    let sample = Sample(n: 1, d: 2, m: 3, seed: 11)
    let z = sample.preactivations(0, sample.w)
    let exact = try SoftmaxLayer().rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations()
    ).numbers
    let outcomes = classes(z)
    let scores = outcomes.map { outcome in
      Definition.gradient(at: sample.w) { logSoftmax(sample.preactivations(0, $0), Int(outcome.y[0])) }
    }
    var random = SplitMix64(seed: 12)
    func error(samples: Int) -> Double {
      var counts = Array(repeating: 0.0, count: outcomes.count)
      for _ in 0..<samples {
        var u = random.unit()
        var k = 0
        while k + 1 < outcomes.count, u >= outcomes[k].weight {
          u -= outcomes[k].weight
          k += 1
        }
        counts[k] += 1
      }
      let size = sample.w.count
      var sum = 0.0
      for i in 0..<size {
        for j in 0..<size {
          let mean = scores.indices.reduce(0) { $0 + counts[$1] * scores[$1][i] * scores[$1][j] } / Double(samples)
          sum += (mean - exact[i * size + j]) * (mean - exact[i * size + j])
        }
      }
      return sum.squareRoot()
    }
    /// The root mean square over repetitions, so that the rate shows.
    func rms(samples: Int) -> Double {
      let errors = (0..<40).map { _ in error(samples: samples) }
      return (errors.reduce(0) { $0 + $1 * $1 } / 40).squareRoot()
    }
    let (coarse, fine) = (rms(samples: 100), rms(samples: 10_000))
    #expect(coarse / fine > 7 && coarse / fine < 14, "errors \(coarse) and \(fine)")
  }
}
