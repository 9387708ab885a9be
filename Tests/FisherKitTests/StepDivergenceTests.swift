import FisherKit
import FisherKitTestSupport
import Foundation
import Testing

/// Divergences of steps against sums over the outputs themselves, and effective dimensions against the blocks' spectra.
@Suite struct StepDivergenceTests {
  private func logits(_ rows: Int, _ columns: Int, seed: UInt64, scale: Double) throws -> Matrix<Double> {
    var generator = SplitMix64(seed: seed)
    let x = generator.samples(n: rows, d: columns)
    return try Matrix<Double>.make(x.map { scale * $0 }, rows: rows, columns: columns)
  }

  /// z' = z + a small change.
  private func moved(_ z: borrowing Matrix<Double>, by scale: Double) throws -> Matrix<Double> {
    let change = try logits(z.rows, z.columns, seed: 8, scale: scale)
    return try Matrix<Double>.make(
      zip(z.numbers, change.numbers).map { $0 + $1 }, rows: z.rows, columns: z.columns)
  }

  private func softmax(_ z: [Double]) -> [Double] {
    let weights = z.map { exp($0 - z.max()!) }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  @Test func softmaxDivergence() throws {
    let z = try logits(7, 5, seed: 3, scale: 2)
    let new = try moved(z, by: 0.7)
    let found = try SoftmaxLayer().divergence(before: z, after: new)
    var sum = 0.0
    for s in 0..<7 {
      let (p, q) = (softmax((0..<5).map { z[s, $0] }), softmax((0..<5).map { new[s, $0] }))
      sum += zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
    }
    #expect(abs(found.measured - sum / 7) < 1e-12 * sum)
  }

  /// Steps so far that exponentials of them are no numbers: from even odds to certainty, and from certainty to even odds.
  @Test func softmaxFarAway() throws {
    let near = try Matrix<Double>.make([0, 0], rows: 1, columns: 2)
    let far = try Matrix<Double>.make([2000, 0], rows: 1, columns: 2)
    let away = try SoftmaxLayer().divergence(before: near, after: far)
    #expect(abs(away.measured - (1000 - log(2))) < 1e-9 && away.predicted == 0.5 * 1e6, "\(away)")
    let back = try SoftmaxLayer().divergence(before: far, after: near)
    #expect(abs(back.measured - log(2)) < 1e-12 && back.predicted == 0, "\(back)")
    let turned = try SoftmaxLayer().divergence(
      before: far, after: try Matrix<Double>.make([0, 2000], rows: 1, columns: 2))
    #expect(abs(turned.measured - 2000) < 1e-9, "\(turned)")
  }

  /// To second order the prediction is the divergence, for every kind of output.
  @Test(arguments: [1e-3, 1e-4])
  func secondOrder(scale: Double) throws {
    let z = try logits(6, 4, seed: 5, scale: 1)
    let new = try moved(z, by: scale)
    let activations: [any Activation] = [Tanh(), Sigm(), Softplus(), try Relu(omega: 1), Gelu()]
    let subsystems: [any Subsystem] =
      activations.map { NonlinearLayer($0) }
      + [SoftmaxLayer(), LinearLayer(), try LinearLayer(sigma: 3)]
    for subsystem in subsystems {
      let found = try subsystem.divergence(before: z, after: new)
      #expect(found.predicted > 0)
      #expect(abs(found.measured / found.predicted - 1) < 10 * scale, "\(subsystem): \(found)")
    }
  }

  /// ½ δᵀ G δ from the pre-activations is that of the matrices themselves.
  @Test func predictionIsTheQuadraticForm() throws {
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try SGD<Double>(learningRate: 0.1)
    try optimizer.prepare(for: model, batchSize: 9)
    _ = model.gradients(labels: labels.span)
    let divergence = try StepDivergence(model: model)
    divergence.keepWeights(of: model)
    let before = model.parameters.map { $0.value.numbers }
    var matrices: [any RFIM<Double>] = []
    try model.observe { (index, observed) throws(FisherError) in
      matrices.append(try model.parameters[index].subsystem!.rfim(observed))
    }
    _ = try optimizer.step(model)
    let found = try divergence.compare(with: model)
    #expect(found.map(\.name) == ["layer 1", "layer 2", "layer 3"])
    for (index, parameter) in model.parameters.enumerated() {
      let step = try Matrix<Double>.make(
        zip(parameter.value.numbers, before[index]).map { $0 - $1 }, rows: parameter.neurons,
        columns: parameter.order)
      let expected = try matrices[index].predictedKL(ofStep: step)
      #expect(abs(found[index].1.predicted / expected - 1) < 1e-9)
    }
  }

  @Test(arguments: [3, 40])
  func effectiveDimensions(samples: Int) throws {
    let (model, _) = try smallNetwork(Double.self, samples: samples)
    let found = try model.effectiveDimensions(damping: 0.01, neurons: 100)
    model.forward { _ in }
    try model.observe { (index, observed) throws(FisherError) in
      let parameter = model.parameters[index]
      var nu = try Matrix<Double>(rows: observed.rows, columns: parameter.neurons)
      parameter.subsystem!.nu(&nu, preactivations: observed.preactivations)
      let blocks = try NeuronBlocks<Double>(inputs: observed.inputs, nu: nu)
      var sum = 0.0
      for i in 0..<parameter.neurons { sum += try blocks.spectrum(ofNeuron: i).effectiveDimension(damping: 0.01) }
      let mean = sum / Double(parameter.neurons)
      #expect(found[index].order == parameter.order)
      #expect(abs(found[index].dimension - mean) < 1e-8 * mean, "\(found[index]) \(mean)")
    }
    #expect(failure(of: { _ = try model.effectiveDimensions(damping: -1.0) }) != nil)
  }
}
