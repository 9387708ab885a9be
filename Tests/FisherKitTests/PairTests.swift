import FisherKit
import FisherKitTestSupport
import Testing

/// Two layers trained as one subsystem: steps against w − γ(Ĝ + λI)⁻¹g with eq 12 summed term by term.
@Suite struct PairTests {
  private let damping = 0.03

  /// Ĝ (md, md) by eq 12: (1/n) Σ_s Σ_{l,k} c_li O_lk c_kj f'_i f'_j x̃x̃ᵀ, with O given for each sample.
  private func matrix(
    x: [Double], slopes: [Double], c: [Double], outputs: (Int) -> [[Double]], n: Int, d: Int, m: Int, above: Int
  ) -> [Double] {
    var g = [Double](repeating: 0, count: m * d * m * d)
    for s in 0..<n {
      let o = outputs(s)
      for i in 0..<m {
        for j in 0..<m {
          var a = 0.0
          for l in 0..<above {
            for k in 0..<above { a += c[l * (m + 1) + i] * o[l][k] * c[k * (m + 1) + j] }
          }
          a *= slopes[s * m + i] * slopes[s * m + j] / Double(n)
          for p in 0..<d {
            for q in 0..<d { g[(i * d + p) * m * d + j * d + q] += a * x[s * d + p] * x[s * d + q] }
          }
        }
      }
    }
    return g
  }

  private func covariance(_ subsystem: any Subsystem, _ z: ArraySlice<Double>) -> [[Double]] {
    let z = Array(z)
    if subsystem is SoftmaxLayer {
      let eta = Reference.softmax(z: z, n: 1, m: z.count).eta
      return z.indices.map { i in z.indices.map { (i == $0 ? eta[i] : 0) - eta[i] * eta[$0] } }
    }
    return z.indices.map { i in z.indices.map { i == $0 ? Reference.Activation.sigm.nu(z[i]) : 0 } }
  }

  enum Outer: String, CaseIterable {
    case softmax, sigm
    var subsystem: any Subsystem { self == .softmax ? SoftmaxLayer() : NonlinearLayer(Sigm()) }
  }

  /// Few samples take the low-rank route, many the dense one; both are the same matrix.
  @Test(arguments: Outer.allCases, [2, 40]) func curvature(outer: Outer, samples n: Int) throws {
    let (d, m, above) = (5, 4, 3)
    var generator = SplitMix64(seed: 31)
    let c = generator.normal(above * (m + 1))
    let curvature = try ExactMetric().makeCurvature(
      for: CurvatureSite<Double>(
        Site(
          name: "layer", neurons: m, order: d, subsystem: TwoLayers(hidden: try Relu(omega: 1), outer: outer.subsystem),
          neuronsAbove: above), batchSize: n, refreshInterval: 3, damping: .absolute(damping)))
    // The window empties at each refresh.
    for round in 1...2 {
      var (x, z, up): ([Double], [Double], [Double]) = ([], [], [])
      for _ in 0..<3 {
        let batch = (generator.samples(n: n, d: d), generator.normal(n * m), generator.normal(n * above))
        x += batch.0
        z += batch.1
        up += batch.2
        try Observation<Double>.with(
          inputs: .make(batch.0, rows: n, columns: d), preactivations: .make(batch.1, rows: n, columns: m),
          weightsAbove: .make(c, rows: above, columns: m + 1),
          preactivationsAbove: .make(batch.2, rows: n, columns: above)
        ) { (observed) throws(FisherError) in try curvature.observe(observed) }
      }
      try curvature.refresh()
      let slopes = z.map { Reference.Activation.relu(iota: 0, omega: 1).derivative($0) }
      let g = matrix(
        x: x, slopes: slopes, c: c, outputs: { covariance(outer.subsystem, up[$0 * above..<($0 + 1) * above]) },
        n: 3 * n, d: d, m: m, above: above)
      let v = generator.normal(m * d)
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let comparison = Comparison.normwise(
        direction.numbers, eliminate(g, v, damping: damping), tolerance: 1e-11)
      #expect(comparison.isAllowed, "\(outer), \(n) samples, round \(round): \(comparison)")
    }
  }

  /// A matrix too large to be formed: some rows of each mini-batch stand for the window, exactly.
  @Test func largePair() throws {
    let (d, m, above, n, batches) = (200, 30, 40, 30, 4)
    var generator = SplitMix64(seed: 32)
    let c = generator.normal(above * (m + 1))
    let curvature = try ExactMetric().makeCurvature(
      for: CurvatureSite<Double>(
        Site(
          name: "layer", neurons: m, order: d, subsystem: TwoLayers(hidden: Tanh(), outer: SoftmaxLayer()),
          neuronsAbove: above), batchSize: n, refreshInterval: batches, damping: .absolute(damping)))
    // 4096 / 40 samples in all: a share of each batch where it is known when the refresh will come, else the first to come.
    var draws = WindowDraws()
    for rows in [[30, 30, 30, 12], [26, 26, 26, 24]] {
      var (x, h, up): ([Double], [Double], [Double]) = ([], [], [])
      for taken in rows {
        let batch = (generator.samples(n: n, d: d), generator.normal(n * m), generator.normal(n * above))
        let drawn = draws.rows(taken, of: n)
        x += batch.0.rows(drawn, columns: d)
        h += batch.1.rows(drawn, columns: m)
        up += batch.2.rows(drawn, columns: above)
        try Observation<Double>.with(
          inputs: .make(batch.0, rows: n, columns: d), preactivations: .make(batch.1, rows: n, columns: m),
          weightsAbove: .make(c, rows: above, columns: m + 1),
          preactivationsAbove: .make(batch.2, rows: n, columns: above)
        ) { (observed) throws(FisherError) in try curvature.observe(observed) }
      }
      try curvature.refresh()
      curvature.expectRefresh(after: batches, isEarly: false)
      // (Ĝ + λI) times what comes out is what went in.
      let v = generator.normal(m * d)
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let found = direction.numbers
      let count = x.count / d
      var back = found.map { damping * $0 }
      for s in 0..<count {
        let z = (0..<m).map { i in (0..<d).reduce(0) { $0 + found[i * d + $1] * x[s * d + $1] } }
        let slope = (0..<m).map { Reference.Activation.tanh.derivative(h[s * m + $0]) }
        let a = (0..<above).map { l in (0..<m).reduce(0) { $0 + c[l * (m + 1) + $1] * slope[$1] * z[$1] } }
        let o = covariance(SoftmaxLayer(), up[s * above..<(s + 1) * above])
        let b = (0..<above).map { l in (0..<above).reduce(0) { $0 + o[l][$1] * a[$1] } }
        for i in 0..<m {
          let weight = (0..<above).reduce(0) { $0 + c[$1 * (m + 1) + i] * b[$1] } * slope[i] / Double(count)
          for p in 0..<d { back[i * d + p] += weight * x[s * d + p] }
        }
      }
      #expect(
        Comparison.normwise(back, v, tolerance: 1e-10).isAllowed, "\(Comparison.normwise(back, v, tolerance: 1e-10))")
    }
  }

  /// A network with a pair: steps are those of the two-layer matrix over the mini-batches since the last refresh (T = 2),
  /// with the outer weights as they are then. The window of the first one goes on, since it is not half full.
  @Test func stepsOfANetwork() throws {
    let (model, _) = try smallNetwork(Double.self, activation: Tanh(), samples: 12)
    try model.pairLayers(at: 1)
    let optimizer = try RNGD<Double>(
      learningRate: 0.2, damping: .absolute(damping),
      schedule: RefreshSchedule(interval: 2, startsEarly: false), trustRegion: .off)
    try optimizer.prepare(for: model, batchSize: 12)
    let (parameter, outer) = (model.parameters[1], model.parameters[2])
    let (m, d) = (parameter.neurons, parameter.order)
    var generator = SplitMix64(seed: 33)
    var (x, slopes, up, g): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for step in 1...4 {
      let labels = try fill(model, samples: 12, using: &generator)
      _ = model.gradients(labels: labels.span)
      try model.observe { (index, observed) throws(FisherError) in
        if index == 1 {
          x += observed.inputs.numbers
          slopes += observed.preactivations.numbers.map { Reference.Activation.tanh.derivative($0) }
        }
        if index == 2 { up += observed.preactivations.numbers }
      }
      if step != 3 {
        g = matrix(
          x: x, slopes: slopes, c: outer.value.numbers,
          outputs: { covariance(SoftmaxLayer(), up[$0 * outer.neurons..<($0 + 1) * outer.neurons]) }, n: x.count / d,
          d: d,
          m: m, above: outer.neurons)
        if step > 1 { (x, slopes, up) = ([], [], []) }
      }
      let direction = eliminate(g, parameter.gradient.numbers, damping: damping)
      let expected = zip(parameter.value.numbers, direction).map { $0 - 0.2 * $1 }
      #expect(try optimizer.step(model).isEmpty)
      let comparison = Comparison.normwise(parameter.value.numbers, expected, tolerance: 1e-10)
      #expect(comparison.isAllowed, "step \(step): \(comparison)")
    }
  }

  @Test func refusals() throws {
    let (model, _) = try smallNetwork(Double.self, shape: [5, 7, 4])
    for index in [-1, 1, 2] {
      guard
        case .invalidArgument("pair of layers", _, _)? = failure(of: { try model.pairLayers(at: index) })
          as? FisherError
      else {
        Issue.record("pair at \(index) was not refused")
        return
      }
    }
    try model.pairLayers(at: 0)
    for metric in [SharedMetric(), PaperMetric()] as [any Metric] {
      let optimizer = try RNGD<Double>(metric: metric, learningRate: 0.1)
      guard
        case .unsupportedForm("layer 1", _, metric.name, _)? =
          failure(of: { try optimizer.prepare(for: model, batchSize: 9) }) as? FisherError
      else {
        Issue.record("\(metric) was not refused")
        return
      }
    }
  }
}
