import FisherKitTestSupport
import Testing

@testable import FisherKit

/// How much of L2 counts within a trust region, step after step: by the gradient of the step before, and by weights that are
/// measured at each sixteenth step, from the first on.
@Suite struct WeightDecayTests {
  private final class OneParameter: Model {
    let parameter: Parameter<Double>
    init() throws { parameter = try Parameter<Double>(name: "scale", neurons: 1, order: 3, subsystem: nil) }
    var parameters: [Parameter<Double>] { [parameter] }
    func observe(_ body: ObservationBody<Double>) {}
  }

  /// At a mini-batch of 25 the gradient counts for half; at 50 and above whole.
  @Test(arguments: [25, 50, 400]) func overManySteps(batchSize: Int) throws {
    let (l2, rate) = (0.2, 0.1)
    let model = try OneParameter()
    var w = [1.0, -2, 4]
    model.parameter.value.assign([w])
    let optimizer = try RNGD<Double>(learningRate: rate, trustRegion: TrustRegion(kappa: 1e9), decay: .l2(l2))
    try optimizer.prepare(for: model, batchSize: batchSize)
    var (said, weights) = (0.0, 0.0)
    for step in 1...40 {
      let g = [0.3, -0.1 * Double(step % 3), 0.05]
      model.parameter.gradient.assign([g])
      if [1, 17, 33].contains(step) { weights = w.reduce(0) { $0 + $1 * $1 } }
      let squares = g.reduce(0) { $0 + $1 * $1 }
      if step == 1 { said = squares }
      let heard = said * (batchSize == 25 ? 0.5 : 1) / (900 * l2 * l2 * weights)
      #expect(heard < 1)
      _ = try optimizer.step(model)
      // (the last column is the bias, which is not decayed)
      for j in 0..<3 { w[j] -= rate * optimizer.stepScales[0] * (g[j] + (j < 2 ? l2 * heard * w[j] : 0)) }
      said = squares
      #expect(Comparison.normwise(model.parameter.value.numbers, w, tolerance: 1e-13).isAllowed, "step \(step)")
    }
  }
}
