import FisherKit
import FisherKitTestSupport
import Testing

/// Coupled layers where numbers are extreme: saturated classes, small damping, many samples.
@Suite struct CoupledLayerTests {
  /// A softmax that is sure of itself: 1 − η is far below the rounding unit of η, and still counts.
  @Test(arguments: [20.0, 60, 100]) func saturated(logit: Double) throws {
    func check<S: KernelScalar>(_: S.Type, tolerance: Double) throws {
      let fisher = try SoftmaxLayer().rfim(
        inputs: Matrix<S>.make([1], rows: 1, columns: 1), preactivations: .make([logit, 0, -1], rows: 1, columns: 3))
      // diag η − ηηᵀ from the logits, by terms that are all positive
      let e = [logit, 0, -1].map { exponential($0 - logit) }
      let eta = e.map { $0 / (e[0] + e[1] + e[2]) }
      let variances = [eta[0] * (eta[1] + eta[2]), eta[1] * (eta[0] + eta[2]), eta[2] * (eta[0] + eta[1])]
      for i in 0..<3 {
        let found = Double(try fisher.block(i, i)[0, 0])
        #expect(abs(found - variances[i]) <= tolerance * variances[i], "\(S.self) \(logit), class \(i): \(found)")
      }
      let diagonal = try #require(fisher as? SampledBlock<S>).diagonalBlocks()
      var product = try Matrix<S>(rows: 3, columns: 1)
      // equal shifts of all classes add nothing but rounding of the shift's own size
      try fisher.multiply(&product, .make([3, 4, 4], rows: 3, columns: 1))
      for i in 0..<3 {
        #expect(abs(Double(try diagonal.block(i, i)[0, 0]) - variances[i]) <= tolerance * variances[i])
        // (z shifted by 4: −1, 0, 0)
        let expected = i == 0 ? -variances[0] : eta[i] * eta[0]
        #expect(abs(Double(product[i, 0]) - expected) <= tolerance * abs(expected), "\(S.self) \(logit), class \(i)")
      }
    }
    try check(Double.self, tolerance: 1e-12)
    if logit < 80 { try check(Float.self, tolerance: 1e-5) }
  }

  private func exponential(_ x: Double) -> Double { 1 / (1 / Reference.Activation.sigm.value(x) - 1) }

  /// The diagonal blocks of two layers are those of the whole matrix.
  @Test(arguments: [true, false]) func diagonalBlocksOfTwoLayers(softmax: Bool) throws {
    let sample = Sample(n: 5, d: 3, m: 4, seed: 91)
    var random = SplitMix64(seed: 92)
    let fisher = try TwoLayers(hidden: Tanh(), outer: softmax ? SoftmaxLayer() : NonlinearLayer(Sigm())).rfim(
      inputs: sample.inputs(Double.self), preactivations: sample.preactivations(),
      outerWeights: .make(random.normal(3 * 5), rows: 3, columns: 5))
    let (dense, diagonal) = (try fisher.numbers, try fisher.diagonalBlocks())
    for i in 0..<4 {
      let block = try diagonal.block(i, i).numbers
      let expected = (0..<9).map { dense[(i * 3 + $0 / 3) * 12 + i * 3 + $0 % 3] }
      #expect(Comparison.normwise(block, expected, tolerance: 1e-12).isAllowed, "neuron \(i)")
    }
  }

  /// With λ far below the largest eigenvalue the division by it cancels: refinement keeps the residual at the rounding.
  @Test(arguments: [1e-6, 1e-9]) func lowRankWithSmallDamping(damping: Double) throws {
    let sample = Sample(n: 6, d: 9, m: 5, seed: 93)
    let x = sample.x.map { 30 * $0 }
    let fisher = try SoftmaxLayer().rfim(
      inputs: Matrix<Double>.make(x, rows: 6, columns: 9), preactivations: sample.preactivations())
    var random = SplitMix64(seed: 94)
    // In the span of what the samples determine, where the solution is small.
    var v = try Matrix<Double>(rows: 5, columns: 9)
    try fisher.multiply(&v, .make(random.normal(45), rows: 5, columns: 9))
    let wanted = v.numbers
    try fisher.solve(&v, damping: damping, route: .lowRank, memoryCap: defaultMemoryCap)
    var back = try Matrix<Double>(rows: 5, columns: 9)
    try fisher.multiply(&back, v)
    let found = zip(back.numbers, v.numbers).map { $0 + damping * $1 }
    let comparison = Comparison.normwise(found, wanted, tolerance: 1e-12)
    #expect(comparison.isAllowed, "λ \(damping): \(comparison)")
  }

  /// Blocks over more samples than are taken in at a time are those of all of them.
  @Test func manySamples() throws {
    let (n, d, m) = (2500, 3, 2)
    var random = SplitMix64(seed: 95)
    let (x, nu) = (random.samples(n: n, d: d), random.uniform(n * m, in: 0...1))
    let blocks = try NeuronBlocks<Double>(
      inputs: .make(x, rows: n, columns: d), nu: .make(nu, rows: n, columns: m))
    var window = Window()
    window.add(x: x, nu: nu, samples: n)
    let expected = window.takeMatrices(neurons: m, order: d)
    for i in 0..<m {
      #expect(Comparison.normwise(try blocks.block(i, i).numbers, expected[i], tolerance: 1e-12).isAllowed)
    }
  }

  /// Solves that would not fit the cap are refused where the matrix is block-diagonal, too.
  @Test func memoryCaps() throws {
    let sample = Sample(n: 4, d: 6, m: 3, seed: 96)
    for subsystem in [NonlinearLayer(Tanh()), LinearLayer()] as [any Subsystem] {
      let fisher = try subsystem.rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
      var v = try Matrix<Double>(rows: 3, columns: 6)
      let refusal = failure(of: {
        try fisher.solve(&v, damping: 1, route: .automatic, memoryCap: 100)
      })
      guard case .exceedsMemoryCap(_, let bytes, 100, _)? = refusal as? FisherError else {
        Issue.record("\(subsystem): found \(String(describing: refusal))")
        continue
      }
      #expect(bytes > 100)
    }
  }

  /// A model with a pair has the pair's matrix for its lower layer, made of what the network puts out.
  @Test func modelWithAPair() throws {
    let (model, labels) = try smallNetwork(Double.self, activation: Tanh())
    _ = model.gradients(labels: labels.span)
    try model.pairLayers(at: 1)
    let parts = try model.rfim().parts
    #expect(parts[0].rfim is NeuronBlocks<Double> && parts[1].rfim is SampledBlock<Double>)
    var expected: [Double] = []
    try model.observe { (index, observed) throws(FisherError) in
      guard index == 1 else { return }
      let fisher = try TwoLayers(hidden: Tanh(), outer: SoftmaxLayer()).rfim(
        inputs: observed.inputs, preactivations: observed.preactivations, outerWeights: model.parameters[2].value)
      expected = try fisher.dense().numbers
    }
    #expect(Comparison.normwise(try parts[1].rfim.numbers, expected, tolerance: 1e-12).isAllowed)
  }
}
