import FisherKit
import TestSupport
import Testing

/// A refresh in parts: the same matrix as a whole one, in effect with the last part.
@Suite struct RefreshPartsTests {
  private func site(_ subsystem: any Subsystem, m: Int, d: Int, damping: Double = 0.02) -> CurvatureSite<Double> {
    CurvatureSite(
      name: "layer", index: 0, count: 1, neurons: m, order: d, subsystem: subsystem, batchSize: 40,
      refreshInterval: 10, damping: damping, isSpread: true)
  }

  private static var metrics: [any Metric] {
    [
      ExactMetric(), ProjectedMetric(rank: .fixed(3)), ProjectedMetric(rank: .share(0.9, atMost: 3)), SharedMetric(),
      AverageMetric(), DiagonalMetric(),
    ]
  }

  @Test(arguments: metrics.indices, [3, 21, 200])
  func theSameAsAWhole(index: Int, m: Int) throws {
    let (metric, d) = (Self.metrics[index], 5)
    let whole = try metric.makeCurvature(for: site(NonlinearLayer(Tanh()), m: m, d: d))
    let parted = try metric.makeCurvature(for: site(NonlinearLayer(Tanh()), m: m, d: d))
    var generator = SplitMix64(seed: 5)
    let v = generator.normal(m * d)
    func direction(_ curvature: any Curvature<Double>) throws -> [Double] {
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      return direction.numbers
    }
    func observe(_ curvatures: [any Curvature<Double>]) throws {
      let (x, z) = (generator.samples(n: 40, d: d), generator.normal(40 * m))
      for curvature in curvatures {
        try curvature.observe(
          inputs: try .make(x, rows: 40, columns: d), preactivations: try .make(z, rows: 40, columns: m))
      }
    }
    try observe([whole, parted])
    for curvature in [whole, parted] { #expect(try curvature.refresh() == nil) }
    let before = try direction(parted)
    #expect(try direction(whole) == before)
    try observe([whole, parted])
    let parts = parted.refreshParts
    #expect(m < 200 || index > 1 || parts > 4, "\(metric): \(parts) parts")
    for part in 0..<parts {
      #expect(try parted.refresh(part: part) == nil)
      guard part < parts - 1 else { continue }
      #expect(try direction(parted) == before, "\(metric), part \(part) of \(parts)")
      // what comes meanwhile is not for this refresh
      try observe([parted])
    }
    #expect(try whole.refresh() == nil)
    let after = try direction(whole)
    #expect(after != before)
    #expect(Comparison.normwise(try direction(parted), after, tolerance: 1e-13).isAllowed, "\(metric), \(parts) parts")
  }

  /// A part that fails leaves the matrix before it in use, and the refresh begins anew.
  @Test func aPartThatFails() throws {
    let (m, d) = (40, 3)
    let curvature = try ExactMetric().makeCurvature(for: site(NonlinearLayer(Relu()), m: m, d: d, damping: 0))
    var generator = SplitMix64(seed: 6)
    func observe(dead: Int?) throws {
      var z = generator.normal(40 * m).map { abs($0) }
      if let dead { for s in 0..<40 { z[s * m + dead] = -1 } }
      try curvature.observe(
        inputs: try .make(generator.samples(n: 40, d: d), rows: 40, columns: d),
        preactivations: try .make(z, rows: 40, columns: m))
    }
    let v = generator.normal(m * d)
    func direction() throws -> [Double] {
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      return direction.numbers
    }
    try observe(dead: nil)
    #expect(try curvature.refresh() == nil)
    let before = try direction()
    // neuron 37, which is in a later part, is dead: its matrix is 0
    try observe(dead: 37)
    var failed: (part: Int, neuron: Int?)?
    for part in 0..<curvature.refreshParts where failed == nil {
      let found = failure(of: { _ = try curvature.refresh(part: part) })
      if case .notPositiveDefinite(let failure)? = found as? FisherError { failed = (part, failure.neuron) }
    }
    #expect(failed?.neuron == 37 && (failed?.part ?? 0) > 0)
    #expect(try direction() == before)
    // with more samples, in which it lives, the refresh succeeds
    try observe(dead: nil)
    for part in 0..<curvature.refreshParts { #expect(try curvature.refresh(part: part) == nil) }
    #expect(try direction() != before)
  }

  /// Parts of an optimizer's refreshes at steps in a row; the first refresh is whole.
  @Test func stepsInARow() throws {
    let (model, labels) = try smallNetwork(Double.self)
    let record = Record()
    let optimizer = try RNGD<Double>(
      metric: PartedMetric(record: record), learningRate: 1e-6,
      schedule: RefreshSchedule(interval: 9, isSpread: true))
    try optimizer.prepare(for: model, batchSize: 9)
    for step in 1...20 {
      record.step = step
      _ = model.gradients(labels: labels.span)
      let isFailing = step == 7
      record.fails = isFailing
      #expect((failure(of: { _ = try optimizer.step(model) }) != nil) == isFailing)
    }
    // three layers, T = 9: from steps 3, 6 and 9 on, three parts each; the second one fails at step 7
    #expect(
      record.events == [
        "1 0 whole", "1 1 whole", "1 2 whole", "3 0 0", "4 0 1", "5 0 2", "6 1 0", "8 1 0", "9 1 1", "9 2 0", "10 1 2",
        "10 2 1", "11 2 2", "12 0 0", "13 0 1", "14 0 2", "15 1 0", "16 1 1", "17 1 2", "18 2 0", "19 2 1", "20 2 2",
      ])
  }

  private final class Record: @unchecked Sendable {
    var events: [String] = []
    var step = 0
    var fails = false
  }

  private struct PartedMetric: Metric {
    let name = "parted"
    let record: Record

    func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
      #expect(site.isSpread)
      return PartedCurvature<S>(site.index, record)
    }
  }

  private final class PartedCurvature<Scalar: KernelScalar>: Curvature {
    let index: Int
    let record: Record
    let bytes = 0
    let refreshParts = 3

    init(_ index: Int, _ record: Record) { (self.index, self.record) = (index, record) }

    func observe(inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>) {}
    func precondition(_ gradient: inout Matrix<Scalar>) {}

    func refresh() throws(FisherError) -> FactorizationFailure? {
      record.events.append("\(record.step) \(index) whole")
      return nil
    }

    func refresh(part: Int) throws(FisherError) -> FactorizationFailure? {
      if record.fails { throw .outOfMemory(what: "layer", bytes: 1) }
      record.events.append("\(record.step) \(index) \(part)")
      return nil
    }
  }
}
