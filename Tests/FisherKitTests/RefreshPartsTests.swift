@testable import FisherKit
import FisherKitTestSupport
import Testing

/// A refresh in parts: the same matrix as a whole one, in effect with the last part.
@Suite struct RefreshPartsTests {
  private func site(_ subsystem: any Subsystem, m: Int, d: Int, interval: Int = 10) -> CurvatureSite<Double> {
    CurvatureSite(
      Site(name: "layer", neurons: m, order: d, subsystem: subsystem), batchSize: 40,
      refreshInterval: interval, damping: 0.02, isSpread: true)
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
    for curvature in [whole, parted] { try curvature.refresh() }
    let before = try direction(parted)
    #expect(try direction(whole) == before)
    try observe([whole, parted])
    let parts = parted.refreshParts
    #expect(m < 200 || index > 1 || parts > 4, "\(metric): \(parts) parts")
    for part in 0..<parts {
      try parted.refresh(part: part)
      guard part < parts - 1 else { continue }
      #expect(try direction(parted) == before, "\(metric), part \(part) of \(parts)")
      // what comes meanwhile is not for this refresh
      try observe([parted])
    }
    try whole.refresh()
    let after = try direction(whole)
    #expect(after != before)
    #expect(Comparison.normwise(try direction(parted), after, tolerance: 1e-13).isAllowed, "\(metric), \(parts) parts")
  }

  /// A block that is broken in a part goes down the ladder alone, and the others do not notice. A refresh without a
  /// sample that is finite leaves the matrix before it in use, and begins anew.
  @Test func aPartThatFails() throws {
    let (m, d) = (40, 3)
    let site = site(NonlinearLayer(Tanh()), m: m, d: d, interval: 1)
    let curvature = try ExactMetric().makeCurvature(for: site)
    let whole = try ExactMetric().makeCurvature(for: site)
    var generator = SplitMix64(seed: 6)
    func observe(isFinite: Bool = true) throws {
      let z = generator.normal(40 * m)
      let x = isFinite ? generator.samples(n: 40, d: d) : Array(repeating: .nan, count: 40 * d)
      for curvature in [curvature, whole] {
        try curvature.observe(
          inputs: try .make(x, rows: 40, columns: d), preactivations: try .make(z, rows: 40, columns: m))
      }
    }
    let v = generator.normal(m * d)
    func direction(_ curvature: any Curvature<Double>) throws -> [Double] {
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      return direction.numbers
    }
    try observe()
    for curvature in [curvature, whole] { try curvature.refresh() }
    let before = try direction(curvature)
    // neuron 37, which is in a later part, cannot be factored by any means
    try observe()
    site.incidents.faults = Breaks(neuron: 37)
    for part in 0..<curvature.refreshParts {
      #expect(try direction(curvature) == before, "before part \(part)")
      try curvature.refresh(part: part)
      if part == 0 { #expect(site.takeIncidents().isEmpty) }
    }
    let incidents = site.takeIncidents()
    #expect(incidents.map(\.neuron) == [37] && incidents.map(\.remedy) == [.lastGoodBlock])
    site.incidents.faults = nil
    try whole.refresh()
    let (found, expected) = (try direction(curvature), try direction(whole))
    let its = 37 * d..<38 * d
    #expect(Array(found[its]) == Array(before[its]) && Array(expected[its]) != Array(before[its]))
    #expect(
      found.indices.allSatisfy { its.contains($0) || abs(found[$0] - expected[$0]) <= 1e-12 * abs(expected[$0]) })

    try observe(isFinite: false)
    guard case .notPositiveDefinite? = failure(of: { try curvature.refresh(part: 0) }) as? FisherError else {
      Issue.record("a window of NaN was refreshed from")
      return
    }
    #expect(site.takeIncidents().map(\.remedy) == [.samplesLeftOut])
    #expect(try direction(curvature) == found)
    try observe()
    for part in 0..<curvature.refreshParts { try curvature.refresh(part: part) }
    #expect(try direction(curvature) != found && site.takeIncidents().isEmpty)
  }

  private final class Breaks: FaultSource {
    let neuron: Int
    init(neuron: Int) { self.neuron = neuron }
    func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool {
      neuron == self.neuron && attempt < Ladder.lastGood
    }
  }

  /// Parts of an optimizer's refreshes at steps in a row; the first refresh is whole.
  @Test func stepsInARow() throws {
    let (model, labels) = try smallNetwork(Double.self)
    let record = Record()
    let optimizer = try RNGD<Double>(
      metric: PartedMetric(record: record), learningRate: 1e-6,
      schedule: RefreshSchedule(interval: 9, isSpread: true, startsEarly: false))
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
      return PartedCurvature<S>(site.number, record)
    }
  }

  private final class PartedCurvature<Scalar: KernelScalar>: Curvature {
    let index: Int
    let record: Record
    let bytes = 0
    let refreshParts = 3

    init(_ index: Int, _ record: Record) { (self.index, self.record) = (index, record) }

    func observe(_ observed: borrowing Observation<Scalar>) {}
    func precondition(_ gradient: inout Matrix<Scalar>) {}

    func refresh() { record.events.append("\(record.step) \(index) whole") }

    func refresh(part: Int) throws(FisherError) {
      if record.fails { throw .outOfMemory(what: "layer", bytes: 1) }
      record.events.append("\(record.step) \(index) \(part)")
    }
  }
}
