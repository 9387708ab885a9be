import Testing

@testable import FisherKit

/// How an adaptive damping follows the share of the foreseen loss that came true (Martens & Grosse 2015, Levenberg and
/// Marquardt's rule), and the floors of λ.
@Suite struct SiteDampingTests {
  private func factors(_ ratios: [Double]) -> [Double] {
    let damping = SiteDamping(.adaptive(from: .absolute(1)))
    return ratios.map { ratio in
      damping.adapt(to: ratio)
      return damping.factor
    }
  }

  /// Two thirds above ¾, one and a half times below ¼ or where there is no number.
  @Test func thresholds() {
    for (ratio, expected) in [
      (0.76, 2.0 / 3), (2, 2.0 / 3), (0.75, 1), (0.5, 1), (0.25, 1), (0.24, 1.5), (-3, 1.5), (.nan, 1.5),
    ] {
      let found = factors([ratio])[0]
      #expect(abs(found - expected) < 1e-15, "ratio \(ratio): \(found)")
    }
    #expect(abs(factors([1, 1, 0])[2] - 2.0 / 3) < 1e-15)
  }

  /// From a hundredth to a hundred times what it started from.
  @Test func bounds() {
    let falling = factors(Array(repeating: 1, count: 40))
    #expect(abs(falling[10] - 0.011561019943888408) < 1e-15 && falling[11] == 0.01 && falling[39] == 0.01)
    let rising = factors(Array(repeating: 0, count: 40))
    #expect(rising[10] == 86.49755859375 && rising[11] == 100 && rising[39] == 100)
  }

  /// A block without information gets a thousandth of the layer's mean; none gets less than 16 rounding units of its trace.
  @Test func floors() {
    let damping = SiteDamping(.relative(0.5))
    #expect(damping.lambda(trace: 0, order: 4, layerMean: 8, unit: 0) == 0.5 * 0.008)
    #expect(damping.lambda(trace: 0.01, order: 4, layerMean: 8, unit: 0) == 0.5 * 0.008)
    #expect(damping.lambda(trace: 4, order: 4, layerMean: 8, unit: 0) == 0.5)
    #expect(SiteDamping(.absolute(0)).lambda(trace: 3, order: 4, unit: 0x1p-23) == 48 * 0x1p-23)
    #expect(SiteDamping(.norm(0.5)).lambda(trace: 12, order: 9, unit: 0) == 2)
  }

  /// The foreseen loss is Σ (r − r²/2) gᵀδ over the layers, for a step of −rδ: three quarters of it and a quarter are where
  /// the damping moves.
  @Test func foreseenLoss() throws {
    for (share, expected) in [(0.76, 2.0 / 3), (0.74, 1), (0.26, 1), (0.24, 1.5)] {
      let (model, labels) = try smallNetwork(Double.self)
      let rate = 0.5
      let optimizer = try RNGD<Double>(
        metric: ExactMetric(), learningRate: rate, damping: .adaptive(from: .absolute(0.1)), trustRegion: .off)
      try optimizer.prepare(for: model, batchSize: 9)
      let score = model.gradients(labels: labels.span)
      let (before, gradients) = (
        model.parameters.map { $0.value.numbers }, model.parameters.map { $0.gradient.numbers }
      )
      _ = try optimizer.step(model)
      var foreseen = 0.0
      for (i, parameter) in model.parameters.enumerated() {
        let descent = zip(before[i], parameter.value.numbers).map { $0 - $1 }
        let slope = zip(gradients[i], descent).reduce(0) { $0 + $1.0 * $1.1 }
        foreseen += slope * (1 - rate / 2)
      }
      optimizer.note(loss: score.loss, after: score.loss - share * foreseen)
      let states = try #require(optimizer.preconditioner).states
      for state in states { #expect(abs(state.damping.factor - expected) < 1e-15, "share \(share)") }
    }
  }
}
