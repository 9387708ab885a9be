import FisherKit
import FisherKitTestSupport
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
  /// first, and later ones 5 of each batch; with room for less than a row a batch, one until it is full.
  @Test(
    arguments: Kind.allCases,
    [
      (8192, [10, 10, 10, 10], [10, 10, 10, 10]), (20, [10, 10, 0, 0], [5, 5, 5, 5]), (3, [3, 0, 0, 0], [1, 1, 1, 0]),
    ])
  func rowsOfEachBatch(kind: Kind, plan: (limit: Int, first: [Int], later: [Int])) throws {
    let batch = 10
    let curvature = try kind.metric(windowSamples: plan.limit).makeCurvature(
      for: CurvatureSite<Double>(
        Site(name: "layer", neurons: m, order: d, subsystem: kind.layer.subsystem), batchSize: batch,
        refreshInterval: 4, damping: .absolute(damping)))
    let bytes = curvature.bytes
    var (generator, draws) = (SplitMix64(seed: 3), WindowDraws())
    for taken in [plan.first, plan.later, plan.later] {
      var (x, z): ([Double], [Double]) = ([], [])
      for count in taken {
        let (rows, preactivations) = (generator.samples(n: batch, d: d), generator.normal(batch * m))
        let taken = draws.rows(count, of: batch)
        x += rows.rows(taken, columns: d)
        z += preactivations.rows(taken, columns: m)
        try curvature.observe(
          inputs: .make(rows, rows: batch, columns: d), preactivations: .make(preactivations, rows: batch, columns: m))
      }
      try curvature.refresh()
      curvature.expectRefresh(after: 4, isEarly: false)
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

  /// Mini-batches of which a refresh is made by hand.
  private final class Run {
    let kind: Kind
    let site: CurvatureSite<Double>
    let curvature: any Curvature<Double>
    private var generator = SplitMix64(seed: 4)
    private var draws = WindowDraws()
    private var (x, z): ([Double], [Double]) = ([], [])
    private let d: Int
    private let m: Int

    init(_ kind: Kind, limit: Int, d: Int, m: Int) throws {
      (self.kind, self.d, self.m) = (kind, d, m)
      site = CurvatureSite(
        Site(name: "layer", neurons: m, order: d, subsystem: kind.layer.subsystem), batchSize: 10,
        refreshInterval: 4, damping: 0.02)
      curvature = try kind.metric(windowSamples: limit).makeCurvature(for: site)
    }

    /// A mini-batch of 10 of which so many rows are expected to be taken; some are no numbers.
    func observe(taken: Int, badInputs: [Int] = [], badPreactivations: [Int] = []) throws {
      var (rows, preactivations) = (generator.samples(n: 10, d: d), generator.normal(10 * m))
      for row in badInputs { rows[row * d + row % d] = row % 2 == 0 ? .nan : .infinity }
      for row in badPreactivations { preactivations[row * m + row % m] = row % 2 == 0 ? .nan : -.infinity }
      try curvature.observe(
        inputs: .make(rows, rows: 10, columns: d), preactivations: .make(preactivations, rows: 10, columns: m))
      for row in draws.rows(taken, of: 10) where !badInputs.contains(row) && !badPreactivations.contains(row) {
        x += rows[row * d..<(row + 1) * d]
        z += preactivations[row * m..<(row + 1) * m]
      }
    }

    /// A refresh, and whether it was of what was to be taken; the window is expected to go on or to begin anew.
    func refresh(goesOn: Bool, _ place: String) throws {
      try curvature.refresh()
      let v = generator.normal(m * d)
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let expected = kind.layer.direction(x: x, z: z, v: v, d: d, m: m, damping: 0.02, shared: kind == .shared)
      let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-11)
      #expect(comparison.isAllowed, "\(kind), \(place): \(comparison)")
      if !goesOn { (x, z) = ([], []) }
    }
  }

  /// Up to a half it goes on, and beyond it begins anew.
  @Test(arguments: Kind.allCases) func aWindowThatIsNotHalfFullGoesOn(kind: Kind) throws {
    let run = try Run(kind, limit: 8192, d: d, m: m)
    try run.observe(taken: 10)
    try run.refresh(goesOn: true, "10 of 40")
    try run.observe(taken: 10)
    try run.refresh(goesOn: true, "20 of 40")
    try run.observe(taken: 10)
    try run.refresh(goesOn: false, "30 of 40")
    try run.observe(taken: 10)
    try run.refresh(goesOn: true, "10 of 40 again")
    #expect(run.site.takeIncidents().isEmpty)
  }

  /// What room is left is shared among the mini-batches until the next refresh.
  @Test(arguments: Kind.allCases) func itFillsByTheNextRefresh(kind: Kind) throws {
    let run = try Run(kind, limit: 20, d: d, m: m)
    try run.observe(taken: 10)
    try run.refresh(goesOn: true, "10 of 20")
    run.curvature.expectRefresh(after: 4, isEarly: false)
    for taken in [3, 3, 3, 1] { try run.observe(taken: taken) }
    try run.refresh(goesOn: false, "20 of 20")
  }

  /// Samples that are no numbers are left out, whether in X̃ or in z, and said so once a refresh.
  @Test(arguments: Kind.allCases) func samplesThatAreNoNumbers(kind: Kind) throws {
    let run = try Run(kind, limit: 8192, d: d, m: m)
    try run.observe(taken: 10, badInputs: [0, 7], badPreactivations: [3, 9])
    try run.observe(taken: 10, badPreactivations: [5])
    try run.refresh(goesOn: true, "5 of 20 rows bad")
    #expect(run.site.takeIncidents() == [Incident(layer: "layer", remedy: .samplesLeftOut)])
    try run.observe(taken: 10)
    try run.refresh(goesOn: false, "25 rows")
    #expect(run.site.takeIncidents().isEmpty)
    // A window without any other keeps the matrix before it away from it.
    try run.observe(taken: 10, badInputs: Array(0..<10))
    guard case .notPositiveDefinite? = failure(of: { try run.curvature.refresh() }) as? FisherError else {
      Issue.record("a window of NaN was refreshed from")
      return
    }
    #expect(run.site.takeIncidents().map(\.remedy) == [.samplesLeftOut])
    try run.observe(taken: 10)
    try run.refresh(goesOn: true, "after a window of NaN")
  }
}
