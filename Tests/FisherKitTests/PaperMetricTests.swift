@testable import FisherKit
import FisherKitTestSupport
import Testing

/// The paper preset: identity start, Ĝ ← 0.995 Ĝ + 0.005 ν x̃x̃ᵀ, shared blocks at both ends.
@Suite struct PaperMetricTests {
  private let d = 4
  private let m = 3
  private let n = 6
  private let damping = 0.02

  private func curvature(
    index: Int, subsystem: any Subsystem = NonlinearLayer(Relu().metricForm)
  ) throws -> any Curvature<Double> {
    try PaperMetric().makeCurvatures(for: (0..<3).map { site(index: $0, subsystem: subsystem) })[index]
  }

  private func site(
    index: Int, subsystem: any Subsystem = NonlinearLayer(Relu().metricForm)
  ) -> CurvatureSite<Double> {
    CurvatureSite<Double>(
      Site(name: "layer \(index + 1)", neurons: m, order: d, subsystem: subsystem), batchSize: n,
      refreshInterval: 10, damping: .absolute(damping))
  }

  @Test(arguments: [0, 1, 2])
  func average(index: Int) throws {
    try compare(try curvature(index: index), "layer \(index + 1)") { z in
      index == 1 ? Reference.Activation.relu(iota: 0, omega: 1).nu(z) : 1
    }
  }

  /// A linear layer between others has its own constant ν; at the ends ν is 1 for all.
  @Test(arguments: [0, 1, 2])
  func averageOfALinearLayer(index: Int) throws {
    try compare(try curvature(index: index, subsystem: try LinearLayer(sigma: 0.1)), "linear layer \(index + 1)") { _ in
      index == 1 ? 100 : 1
    }
  }

  private func compare(_ curvature: any Curvature<Double>, _ place: String, nu: (Double) -> Double) throws {
    var generator = SplitMix64(seed: 3)
    var averages = (0..<m).map { _ in (0..<(d * d)).map { $0 % (d + 1) == 0 ? 1.0 : 0.0 } }
    for _ in 0..<5 {
      let x = generator.samples(n: n, d: d)
      let z = generator.normal(n * m)
      try curvature.observe(
        inputs: try .make(x, rows: n, columns: d), preactivations: try .make(z, rows: n, columns: m))
      var window = Window()
      window.add(x: x, nu: z.map(nu), samples: n)
      for (i, batch) in window.takeMatrices(neurons: m, order: d).enumerated() {
        for k in 0..<(d * d) { averages[i][k] = 0.995 * averages[i][k] + 0.005 * batch[k] }
      }
    }
    let v = generator.normal(m * d)
    try curvature.refresh()
    var direction = try Matrix<Double>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    let expected = (0..<m).flatMap { eliminate(averages[$0], Array(v[($0 * d)..<($0 * d + d)]), damping: damping) }
    let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-12)
    #expect(comparison.isAllowed, "\(place): \(comparison)")
  }

  /// A mini-batch with a NaN is left out of the average, where it would stay for good, and reported. A block that cannot be
  /// factored by any means leaves the gradient unchanged, and the next refresh is free to succeed.
  @Test(arguments: [0, 1])
  func fallback(index: Int) throws {
    let site = site(index: index)
    let curvature = try PaperMetric().makeCurvature(for: site, isInside: index == 1)
    var generator = SplitMix64(seed: 3)
    let x = generator.samples(n: n, d: d)
    let z = try Matrix<Double>.make(generator.normal(n * m), rows: n, columns: m)
    var bad = try Matrix<Double>.make(x, rows: n, columns: d)
    bad[2, 1] = .nan
    try curvature.observe(inputs: bad, preactivations: z)
    let layer = "layer \(index + 1)"
    #expect(site.takeIncidents() == [Incident(layer: layer, remedy: .samplesLeftOut)])
    let v = generator.normal(m * d)
    func direction() throws -> [Double] {
      try curvature.refresh()
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      return direction.numbers
    }
    let faults = AllBroken()
    site.incidents.faults = faults
    #expect(try direction() == v)
    let neurons: [Int?] = index == 0 ? [nil] : [0, 1, 2]
    #expect(site.takeIncidents() == neurons.map { Incident(layer: layer, neuron: $0, remedy: .plainGradient) })
    site.incidents.faults = nil
    #expect(Comparison.normwise(try direction(), v.map { $0 / (1 + damping) }, tolerance: 1e-14).isAllowed)
    #expect(site.takeIncidents().isEmpty)
  }

  private final class AllBroken: FaultSource {
    func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool { true }
  }
}
