import FisherKit
import TestSupport
import Testing

/// Which samples a refresh is made of.
@Suite struct WindowTests {
  private let damping = 0.02
  private let d = 3
  private let m = 4

  enum Kind: String, CaseIterable {
    case neurons, shared, softmax

    func metric(windowSamples: Int) -> any Metric {
      self == .shared ? SharedMetric(windowSamples: windowSamples) : ExactMetric(windowSamples: windowSamples)
    }
    var layer: LayerKind { self == .softmax ? .softmax : .neurons }
  }

  /// Batches of 10 rows, T = 4. With room for all, all are taken; with room for 20, the first window takes what comes
  /// first, and later ones the first 5 of each batch; with room for less than a row a batch, one until it is full.
  @Test(
    arguments: Kind.allCases,
    [
      (8192, [10, 10, 10, 10], [10, 10, 10, 10]), (20, [10, 10, 0, 0], [5, 5, 5, 5]), (3, [3, 0, 0, 0], [1, 1, 1, 0]),
    ])
  func rowsOfEachBatch(kind: Kind, plan: (limit: Int, first: [Int], later: [Int])) throws {
    let batch = 10
    let curvature = try kind.metric(windowSamples: plan.limit).makeCurvature(
      for: CurvatureSite<Double>(
        name: "layer", index: 0, count: 1, neurons: m, order: d, subsystem: kind.layer.subsystem, batchSize: batch,
        refreshInterval: 4, damping: damping))
    let bytes = curvature.bytes
    var generator = SplitMix64(seed: 3)
    for taken in [plan.first, plan.later, plan.later] {
      var (x, z): ([Double], [Double]) = ([], [])
      for count in taken {
        let (rows, preactivations) = (generator.samples(n: batch, d: d), generator.normal(batch * m))
        x += rows.prefix(count * d)
        z += preactivations.prefix(count * m)
        try curvature.observe(
          inputs: .make(rows, rows: batch, columns: d), preactivations: .make(preactivations, rows: batch, columns: m))
      }
      #expect(try curvature.refresh() == nil)
      let v = generator.normal(m * d)
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let expected = kind.layer.direction(
        x: x, z: z, v: v, d: d, m: m, damping: damping, shared: kind == .shared)
      let comparison = Comparison.normwise(
        direction.numbers, expected, tolerance: 1e-11)
      #expect(comparison.isAllowed, "\(kind), limit \(plan.limit): \(comparison)")
    }
    #expect(curvature.bytes == bytes, "the memory of a curvature does not grow")
  }
}
