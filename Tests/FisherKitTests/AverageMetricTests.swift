import FisherKit
import FisherKitTestSupport
import Testing

/// Ĝ = Σ β^t (Σ ν x̃x̃ᵀ)_t / Σ β^t n_t over windows of different sizes, more than half full.
@Suite struct AverageMetricTests {
  @Test(arguments: [0, 0.5, 0.9], LayerKind.allCases)
  func average(decay: Double, kind: LayerKind) throws {
    let (d, m, damping) = (4, 3, 0.02)
    let curvature = try AverageMetric(decay: decay, windowSamples: 20).makeCurvature(
      for: CurvatureSite<Double>(
        Site(name: "layer", neurons: m, order: d, subsystem: kind.subsystem), batchSize: 20,
        refreshInterval: 1, damping: .absolute(damping)))
    let bytes = curvature.bytes
    #expect(curvature.estimate.bytes >= 2 * m * d * (d + 1) / 2 * 8)
    var generator = SplitMix64(seed: 7)
    var sums = (0..<m).map { _ in [Double](repeating: 0, count: d * d) }
    var samples = 0.0
    for n in [20, 11, 19] {
      let (x, z) = (generator.samples(n: n, d: d), generator.normal(n * m))
      try curvature.observe(
        inputs: try .make(x, rows: n, columns: d), preactivations: try .make(z, rows: n, columns: m))
      try curvature.refresh()
      samples = decay * samples + Double(n)
      let nu =
        kind == .softmax ? Reference.softmax(z: z, n: n, m: m).nu : z.map { Reference.Activation.tanh.nu($0) }
      for i in 0..<m {
        for k in 0..<(d * d) {
          sums[i][k] *= decay
          for s in 0..<n { sums[i][k] += nu[s * m + i] * x[s * d + k / d] * x[s * d + k % d] }
        }
      }
      let v = generator.normal(m * d)
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let expected = (0..<m).flatMap { i in
        eliminate(sums[i].map { $0 / samples }, Array(v[(i * d)..<(i * d + d)]), damping: damping)
      }
      let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-11)
      #expect(comparison.isAllowed, "decay \(decay), \(kind): \(comparison)")
    }
    #expect(curvature.bytes == bytes, "the memory of a curvature does not grow")
  }

  /// Numbers whose squares are none make a window that goes down the ladder, and an average that begins anew with the next.
  @Test(arguments: [AverageMetric(), PaperMetric()] as [any Metric], [0, 1]) func anOverflow(
    metric: any Metric, index: Int
  )
    throws
  {
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh())), batchSize: 10,
      refreshInterval: 1, damping: 0.02)
    let curvature = try metric.makeCurvature(for: site, isInside: index == 1)
    var generator = SplitMix64(seed: 9)
    for scale in [1, 1e30, 1, 1] {
      try curvature.observe(
        inputs: try .make(generator.samples(n: 10, d: 3).map { scale * $0 }, rows: 10, columns: 3),
        preactivations: try .make(generator.normal(20), rows: 10, columns: 2))
      try curvature.refresh()
      let remedies = site.takeIncidents().map(\.remedy)
      #expect(
        remedies.isEmpty == (scale == 1) && remedies.allSatisfy { $0 == .lastGoodBlock }, "\(metric): \(remedies)")
      var direction = try Matrix<Float>.make(generator.normal(6), rows: 2, columns: 3)
      try curvature.precondition(&direction)
      let isFinite = direction.isFinite
      #expect(isFinite)
    }
  }

  /// Without damping a window of zeros goes down the ladder and leaves the sum, and with what the next window brings it
  /// goes on.
  @Test func aFailureIsSurvived() throws {
    let site = CurvatureSite<Double>(
      Site(name: "layer", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh())), batchSize: 10,
      refreshInterval: 1, damping: 0.0)
    let curvature = try AverageMetric(decay: 0.5, windowSamples: 20).makeCurvature(for: site)
    var generator = SplitMix64(seed: 8)
    for isEnough in [false, true] {
      let x = isEnough ? generator.samples(n: 10, d: 3) : Array(repeating: 0, count: 30)
      try curvature.observe(
        inputs: try .make(x, rows: 10, columns: 3),
        preactivations: try .make(generator.normal(20), rows: 10, columns: 2))
      try curvature.refresh()
      #expect(site.takeIncidents().map(\.remedy) == (isEnough ? [] : [.raisedDamping, .raisedDamping]))
      var direction = try Matrix<Double>.make(generator.normal(6), rows: 2, columns: 3)
      try curvature.precondition(&direction)
      let isFinite = direction.isFinite
      #expect(isFinite)
    }
  }
}
