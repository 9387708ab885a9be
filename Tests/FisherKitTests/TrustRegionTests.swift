import FisherKitTestSupport
import Testing

@testable import FisherKit

/// How far steps go, against ½ Δᵀ(Ĝ + λI)Δ with matrices summed sample by sample in double.
@Suite struct TrustRegionTests {
  private let damping = 0.02
  private let samples = 9

  /// A layer's damped blocks, and the mean square of its pre-activations.
  private struct Layer {
    let blocks: [[Double]]
    let meanSquare: Double

    /// ½ ΔᵀĜΔ, with λ where there is one.
    func divergence(_ change: [Double], damping: Double = 0) -> Double {
      let order = change.count / blocks.count
      var sum = 0.0
      for (k, block) in blocks.enumerated() {
        for i in 0..<order {
          for j in 0..<order {
            let g = block[max(i, j) * order + min(i, j)] + (i == j ? damping : 0)
            sum += change[k * order + i] * g * change[k * order + j] / 2
          }
        }
      }
      return sum
    }

    func direction(_ v: [Double], damping: Double) -> [Double] {
      let order = v.count / blocks.count
      return blocks.indices.flatMap { k in
        eliminate(blocks[k], Array(v[k * order..<(k + 1) * order]), damping: damping)
      }
    }
  }

  private func layers(_ model: Sequential<Double>, nu: (Double) -> Double) throws -> [Layer] {
    var found: [Layer] = []
    let last = model.parameters.count - 1
    try model.observe { (index, observed) throws(FisherError) in
      let (n, d, m) = (observed.rows, observed.inputs.columns, observed.preactivations.columns)
      let (inputs, numbers) = (observed.inputs.numbers, observed.preactivations.numbers)
      let meanSquare = numbers.reduce(0) { $0 + $1 * $1 } / Double(n * m)
      if index == last {
        let eta = Reference.softmax(z: numbers, n: n, m: m).eta
        let block = Reference.softmaxBlock(x: inputs, eta: eta, n: n, d: d, m: m, alpha: 1 / Double(n))
        found.append(Layer(blocks: [block], meanSquare: meanSquare))
      } else {
        var window = Window()
        window.add(x: inputs, nu: numbers.map(nu), samples: n)
        found.append(Layer(blocks: window.takeMatrices(neurons: m, order: d), meanSquare: meanSquare))
      }
    }
    return found
  }

  /// Three steps, each from matrices of its own mini-batch.
  /// - Returns: for each step and layer the scale, ½Δᵀ(Ĝ + λI)Δ and ½ΔᵀĜΔ over κ in that layer's units, and the most that a
  ///   step may be longer.
  private func steps(
    _ region: TrustRegion, rate: Double, isNormal: Bool = false
  ) throws -> [(scale: Double, damped: Double, divergence: Double, gain: Double)] {
    let activation: any Activation = isNormal ? try Relu(omega: 1) : Tanh()
    let (model, _) = try smallNetwork(Double.self, activation: activation, samples: samples)
    let optimizer = try RNGD<Double>(
      metric: ExactMetric(), learningRate: rate, damping: .absolute(damping), refreshInterval: 1, trustRegion: region)
    try optimizer.prepare(for: model, batchSize: samples)
    var generator = SplitMix64(seed: 21)
    var units: [Double] = []
    var result: [(Double, Double, Double, Double)] = []
    for step in 1...3 {
      let labels = try fill(model, samples: samples, using: &generator)
      _ = model.gradients(labels: labels.span)
      let layers = try layers(model) {
        isNormal ? Reference.Activation.relu(iota: 0, omega: 1).nu($0) : Reference.Activation.tanh.nu($0)
      }
      // (a running mean for normal outputs; the softmax on top is in nats as it is)
      let measured = layers.indices.map { isNormal && $0 < layers.count - 1 ? layers[$0].meanSquare : 1 }
      units = step == 1 ? measured : zip(units, measured).map { 0.9 * $0 + 0.1 * $1 }
      let before = model.parameters.map { $0.value.numbers }
      let directions = zip(layers, model.parameters).map { $0.direction($1.gradient.numbers, damping: damping) }
      let products = directions.indices.map { i in
        zip(directions[i], model.parameters[i].gradient.numbers).reduce(0) { $0 + $1.0 * $1.1 } / units[i]
      }
      #expect(try optimizer.step(model).isEmpty)
      for (i, layer) in layers.enumerated() {
        let scale = optimizer.stepScales[i]
        let change = zip(model.parameters[i].value.numbers, before[i]).map { $0 - $1 }
        let expected = directions[i].map { -rate * scale * $0 }
        #expect(Comparison.normwise(change, expected, tolerance: 1e-9).isAllowed, "step \(step), layer \(i)")
        let kappa = optimizer.trustRegionKappa > 0 ? optimizer.trustRegionKappa * units[i] : 1
        result.append(
          (
            scale, layer.divergence(change, damping: damping) / kappa, layer.divergence(change) / kappa,
            min(100, max(1, 1 / units[i].squareRoot(), (0.03 * products.max()! / products[i]).squareRoot()))
          ))
      }
    }
    return result
  }

  /// Steps that would go too far go as far as κ by the damped matrix, and less by Ĝ itself.
  @Test(arguments: [false, true]) func longStepsGoAsFarAsKappa(isNormal: Bool) throws {
    for kappa in [1e-3, 1e-5] {
      for found in try steps(TrustRegion(kappa: kappa), rate: 20, isNormal: isNormal) {
        #expect(found.scale < 1 && abs(found.damped - 1) < 1e-9 && found.divergence < 1, "κ \(kappa): \(found)")
      }
    }
  }

  /// Where outputs are less than 1, by their mean square, short steps are longer by as much as that is less; and long enough
  /// for 3 % of the nats that the furthest goes.
  @Test(arguments: [false, true]) func shortSteps(isNormal: Bool) throws {
    let all = try steps(TrustRegion(kappa: 1), rate: 1e-3, isNormal: isNormal)
    for found in all {
      #expect(abs(found.scale - found.gain) < 1e-12 * found.gain && found.damped < 1, "\(found)")
    }
    #expect(all.contains { $0.gain > 1 } == isNormal)
  }

  /// Normalised, every layer goes as far as κ whatever the rate.
  @Test(arguments: [1e-4, 20]) func normalised(rate: Double) throws {
    for isNormal in [false, true] {
      for found in try steps(TrustRegion(kappa: 1e-3, isNormalized: true), rate: rate, isNormal: isNormal) {
        #expect(abs(found.damped - 1) < 1e-9 && (found.scale > 1) == (rate < 1), "rate \(rate): \(found)")
      }
    }
  }

  @Test func off() throws {
    for found in try steps(.off, rate: 20) { #expect(found.scale == 1 && found.damped > 1, "\(found)") }
  }

  /// For all layers together 4e-4 nats for each sample, and no more than 0.08.
  @Test func usualKappa() throws {
    #expect(TrustRegion.usual.kappa(batchSize: 50, parameters: 4) == 50 * 4e-4 / 4)
    #expect(TrustRegion.usual.kappa(batchSize: 1000, parameters: 4) == 0.02)
    #expect(TrustRegion(kappa: 0.3).kappa(batchSize: 1000, parameters: 4) == 0.3)
    let bound = try steps(.usual, rate: 20)
    #expect(bound.allSatisfy { abs($0.damped - 1) < 1e-9 }, "\(bound)")
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try RNGD<Double>(metric: ExactMetric(), learningRate: 20)
    try optimizer.prepare(for: model, batchSize: 9)
    #expect(optimizer.trustRegionKappa == 9 * 4e-4 / 3)
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    #expect(optimizer.boundSteps.map(\.steps) == [1, 1, 1] && optimizer.boundSteps.map(\.name)[2] == "layer 3")
  }

  /// A layer whose gradient has faded goes 3 % as far in nats as the one that goes furthest, but not beyond the region, nor
  /// 100 times as far as it would.
  @Test func fadedGradients() {
    let region = TrustRegion.usual
    func scale(_ product: Double, most: Double, kappa: Double = 1) -> Double {
      region.scale(rate: 1e-3, product: product, kappa: kappa, outputScale: 4, most: most)
    }
    #expect(scale(1, most: 0.2) == 1 && scale(1, most: 0.25 / 0.03) == 1)
    #expect(abs(scale(1, most: 2.5 / 0.03) - 10.0.squareRoot()) < 1e-12)
    #expect(scale(1, most: 1e9) == 100 && scale(1, most: .infinity) == 100)
    let kappa = 1e-6
    #expect(abs(scale(1, most: 1e9, kappa: kappa) - (kappa * 4 / 0.5e-6).squareRoot()) < 1e-12)
    #expect(TrustRegion.off.scale(rate: 1, product: 1, kappa: 0, most: 1e9) == 1)
  }

  /// A parameter without a subsystem is measured by the identity. Within a trust region L2 counts in full where the gradient
  /// is 30 times it, by √(50/samples) more for a single sample, and by the square of what it is short of that otherwise.
  @Test func plainParameters() throws {
    let (w, g) = ([[1.0, 2, 5], [-3, 4, 6]], [[0.5, -1, 2], [1, 0, -2]])
    let norms = [w, g].map { $0.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() }
    for (l2, kappa) in [(1e-3, 0), (1e3, 0), (0, 0.02), (1e-3, 0.02), (0.1, 0.02), (1e3, 0.02)] as [(Double, Double)] {
      let model = OneParameter(try Parameter<Double>(name: "scale", neurons: 2, order: 3, subsystem: nil))
      model.parameter.value.assign(w)
      model.parameter.gradient.assign(g)
      let optimizer = try RNGD<Double>(learningRate: 0.5, trustRegion: TrustRegion(kappa: kappa), decay: .l2(l2))
      try optimizer.prepare(for: model, batchSize: 1)
      #expect(try optimizer.step(model).isEmpty)
      let loudness = norms[1] / (30 * l2 * norms[0]) * (1.0 / 50).squareRoot()
      let decay = kappa > 0 && l2 > 0 ? l2 * min(1, loudness * loudness) : l2
      #expect((decay < l2) == (l2 > 1e-3 && kappa > 0))
      let direction = zip(w, g).map { w, g in (0..<3).map { g[$0] + ($0 < 2 ? decay * w[$0] : 0) } }
      let predicted = 0.125 * direction.joined().reduce(0) { $0 + $1 * $1 }
      let scale = kappa > 0 ? (kappa / predicted).squareRoot() : 1
      let expected = zip(w, direction).flatMap { w, d in (0..<3).map { w[$0] - 0.5 * scale * d[$0] } }
      let found = model.parameter.value.numbers
      #expect(Comparison.normwise(found, expected, tolerance: 1e-14).isAllowed, "l2 \(l2), κ \(kappa)")
    }
  }

  private final class OneParameter: Model {
    let parameter: Parameter<Double>
    init(_ parameter: Parameter<Double>) { self.parameter = parameter }
    var parameters: [Parameter<Double>] { [parameter] }
    func observe(_ body: ObservationBody<Double>) {}
  }
}
