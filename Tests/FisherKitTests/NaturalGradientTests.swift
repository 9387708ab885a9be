import FisherKit
import FisherKitTestSupport
import Testing

/// Steps of RNGD against w − γ(Ĝ + λI)⁻¹g, with Ĝ summed sample by sample in double and the system solved by Gaussian
/// elimination.
@Suite struct NaturalGradientTests {
  private let damping = 0.02
  private let rate = 0.3
  private let l2 = 1e-2

  enum Kind: String, CaseIterable {
    case exact, shared
    var metric: any Metric { self == .exact ? ExactMetric() : SharedMetric() }
  }

  /// Refreshes at steps 1 and 3 of 4 (T = 3): the window of the first, which is not half full, goes on, and that of the
  /// second holds the batches of all three steps. Mini-batches are smaller and larger than d.
  @Test(arguments: Kind.allCases, [4, 23])
  func steps(kind: Kind, samples: Int) throws {
    try compare(Double.self, kind, samples: samples, tolerance: 1e-11)
    try compare(Float.self, kind, samples: samples, tolerance: 2e-3)
  }

  private func compare<S: KernelScalar>(_: S.Type, _ kind: Kind, samples: Int, tolerance: Double) throws {
    let metric = try Relu(omega: 1)
    let (model, _) = try smallNetwork(S.self, activation: Relu(), metricActivation: metric, samples: samples)
    let optimizer = try RNGD<S>(
      metric: kind.metric, learningRate: rate, damping: .absolute(damping),
      schedule: RefreshSchedule(interval: 3, startsEarly: false), trustRegion: .off, decay: .l2(l2))
    try optimizer.prepare(for: model, batchSize: samples)
    var generator = SplitMix64(seed: 77)
    var windows = model.parameters.map { _ in Window() }
    var matrices: [[[Double]]] = model.parameters.map { _ in [] }
    let last = model.parameters.count - 1
    // The exact metric has one matrix for all classes of the softmax.
    var softmax = (x: [Double](), eta: [Double](), matrix: [Double]())
    for step in 1...4 {
      let labels = try fill(model, samples: samples, using: &generator)
      _ = model.gradients(labels: labels.span)
      // What the step should do, from the weights and gradients before it.
      var expected: [[Double]] = []
      try model.observe { (index, observed) throws(FisherError) in
        let (x, z, n, m) = (
          observed.inputs.numbers, observed.preactivations.numbers, observed.rows, observed.preactivations.columns
        )
        let nu =
          index == model.parameters.count - 1
          ? Reference.softmax(z: z, n: n, m: m).nu
          : z.map { Reference.Activation.relu(iota: 0, omega: 1).nu($0) }
        if index == last {
          softmax.x += x
          softmax.eta += Reference.softmax(z: z, n: n, m: m).eta
        }
        windows[index].add(x: x, nu: kind == .exact ? nu : nu.map { _ in 1 }, samples: n)
      }
      for (index, parameter) in model.parameters.enumerated() {
        let (m, d) = (parameter.neurons, parameter.order)
        if step == 1 || step == 3 {
          var window = windows[index]
          matrices[index] = window.takeMatrices(neurons: m, order: d)
          if step == 3 { windows[index] = window }
        }
        let (w, g) = (parameter.value.numbers, parameter.gradient.numbers)
        var next: [Double] = []
        if index == last, kind == .exact {
          if step == 1 || step == 3 {
            let n = softmax.eta.count / m
            let block = Reference.softmaxBlock(
              x: softmax.x, eta: softmax.eta, n: n, d: d, m: m, alpha: 1 / Double(n))
            softmax = step == 1 ? (softmax.x, softmax.eta, block) : ([], [], block)
          }
          let gradient = (0..<m * d).map { g[$0] + ($0 % d < d - 1 ? l2 * w[$0] : 0) }
          let direction = eliminate(softmax.matrix, gradient, damping: damping)
          expected.append((0..<m * d).map { w[$0] - rate * direction[$0] })
          continue
        }
        for i in 0..<m {
          let gradient = (0..<d).map { g[i * d + $0] + ($0 < d - 1 ? l2 * w[i * d + $0] : 0) }
          let direction = eliminate(matrices[index][i], gradient, damping: damping)
          next += (0..<d).map { w[i * d + $0] - rate * direction[$0] }
        }
        expected.append(next)
      }
      #expect(try optimizer.step(model).isEmpty)
      for (parameter, expected) in zip(model.parameters, expected) {
        let comparison = Comparison.normwise(parameter.value.numbers, expected, tolerance: tolerance)
        #expect(
          comparison.isAllowed, "\(S.self), \(kind), \(samples) samples, step \(step), \(parameter.name): \(comparison)"
        )
        // The next step starts from the same weights.
        for i in 0..<parameter.neurons {
          for j in 0..<parameter.order { parameter.value[i, j] = S(expected[i * parameter.order + j]) }
        }
      }
    }
  }

  /// A linear layer has one block for all of its neurons, x̃x̃ᵀ/σ².
  @Test func linearSubsystem() throws {
    let (d, m, n) = (4, 3, 6)
    let curvature = try ExactMetric().makeCurvature(
      for: CurvatureSite<Double>(
        Site(name: "layer", neurons: m, order: d, subsystem: try LinearLayer(sigma: 0.5)), batchSize: n,
        refreshInterval: 1, damping: .absolute(damping)))
    var generator = SplitMix64(seed: 3)
    let x = generator.samples(n: n, d: d)
    let v = generator.normal(m * d)
    try curvature.observe(
      inputs: try .make(x, rows: n, columns: d),
      preactivations: try .make(generator.normal(n * m), rows: n, columns: m))
    try curvature.refresh()
    var direction = try Matrix<Double>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    var window = Window()
    window.add(x: x, nu: Array(repeating: 4, count: n * m), samples: n)
    let matrices = window.takeMatrices(neurons: m, order: d)
    let expected = (0..<m).flatMap { eliminate(matrices[$0], Array(v[($0 * d)..<($0 * d + d)]), damping: damping) }
    #expect(Comparison.normwise(direction.numbers, expected, tolerance: 1e-12).isAllowed)
  }
}
