import Foundation
import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Several positions a sample: Fisher matrices and directions are those of the sum over positions.
@Suite struct PositionTests {
  let positions = 3
  let samples = 5
  let d = 4
  let m = 3
  let above = 2
  let damping = 0.05
  let x: [Double]
  let z: [Double]
  let v: [Double]
  let c: [Double]
  let zAbove: [Double]

  init() {
    var generator = SplitMix64(seed: 71)
    x = generator.samples(n: 15, d: 4)
    z = generator.normal(15 * 3)
    v = generator.normal(3 * 4)
    c = generator.normal(2 * 4)
    zAbove = generator.normal(15 * 2)
  }

  /// The value's matrix, and its solve.
  @Test(arguments: Kind.allCases) func values(kind: Kind) throws {
    func value<S: KernelScalar>(_: S.Type, _ tolerance: Double) throws {
      try observe(S.self, kind) { (observed) throws(FisherError) in
        let rfim = try kind.subsystem.rfim(observed)
        let found = Comparison.normwise(try rfim.dense().numbers, matrix(kind), tolerance: tolerance)
        #expect(found.isAllowed, "\(kind), \(S.self): \(found)")
        var solution = try Matrix<S>(rows: m, columns: d)
        for k in 0..<m * d { solution[k / d, k % d] = S(v[k]) }
        try rfim.solve(&solution, damping: damping, route: .automatic, memoryCap: 1 << 30)
        let expected = eliminate(matrix(kind), v, damping: damping)
        #expect(Comparison.normwise(solution.numbers, expected, tolerance: 1e3 * tolerance).isAllowed, "\(kind)")
      }
    }
    try value(Double.self, 1e-12)
    try value(Float.self, 1e-5)
  }

  private static func classes(_ z: [Double]) -> [Definition.Outcome] {
    let eta = Reference.softmax(z: z, n: 1, m: z.count).eta
    return eta.indices.map { .init(y: [Double($0)], weight: eta[$0]) }
  }

  /// Two positions of one sample whose outputs are enumerated together: E[∇log p ∇log pᵀ] is the sum over both.
  @Test(arguments: [false, true]) func definition(isSoftmax: Bool) throws {
    let sample = Sample(n: 2, d: 3, m: 2, seed: 72)
    let subsystem: any Subsystem = isSoftmax ? SoftmaxLayer() : NonlinearLayer(Sigm())
    func outcomes(_ row: Int) -> [Definition.Outcome] {
      let z = sample.preactivations(row, sample.w)
      return isSoftmax ? Self.classes(z) : Definition.outcomes([.bits, .bits], z: z)
    }
    let joint = outcomes(0).flatMap { first in
      outcomes(1).map { Definition.Outcome(y: first.y + $0.y, weight: first.weight * $0.weight) }
    }
    let expected = Definition.fisher(at: sample.w, outcomes: joint) { w, y in
      (0..<2).reduce(0) { sum, row in
        let z = sample.preactivations(row, w)
        let one = Array(y[row * y.count / 2..<(row + 1) * y.count / 2])
        if isSoftmax { return sum - log(1 / Reference.softmax(z: z, n: 1, m: 2).eta[Int(one[0])]) }
        return sum + z.indices.reduce(0) { $0 + Definition.Output.bits.logDensity(one[$1], z: z[$1]) }
      }
    }
    try Observation<Double>.with(
      inputs: sample.inputs(), preactivations: sample.preactivations(), positions: 2
    ) { (observed) throws(FisherError) in
      #expect(observed.samples == 1)
      let found = try subsystem.rfim(observed).dense().numbers
      let comparison = Comparison.normwise(found, expected, tolerance: 1e-9)
      #expect(comparison.isAllowed, "\(subsystem): \(comparison)")
    }
  }

  private static let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)

  /// What each metric is to make of v, of the matrix as it is defined; `nil` where it has no way.
  private func expected(_ metric: any Metric, _ kind: Kind, isInside: Bool) -> [Double]? {
    let whole = matrix(kind)
    switch metric {
    case is DiagonalMetric:
      if kind == .pair { return nil }
      return v.indices.map { v[$0] / (whole[$0 * (m * d + 1)] + damping) }
    case is SharedMetric:
      if kind == .pair { return nil }
      return eliminate(matrix(.linear).map { $0 / 4 }, v, damping: damping)
    case is AverageMetric: return kind == .pair ? nil : eliminate(blocks(whole), v, damping: damping)
    case is PaperMetric:
      if kind == .pair { return nil }
      let one = isInside ? blocks(whole) : matrix(.linear).map { $0 / 4 }
      // (it starts at the identity)
      let average = one.indices.map { 0.25 * one[$0] + ($0 % (m * d + 1) == 0 ? 0.75 : 0) }
      return eliminate(average, v, damping: damping)
    case is KroneckerMetric: return eliminate(kroneckerMatrix(kind), v, damping: damping)
    case is QuasiDiagonalMetric: return kind == .pair ? nil : quasiDiagonal(whole, v, damping: damping)
    case is KernelMetric where kind == .coupled, is IterativeMetric where kind == .coupled: return nil
    case is IterativeMetric where kind == .pair: return nil
    default: return eliminate(whole, v, damping: damping)
    }
  }

  private static func metrics() throws -> [any Metric] {
    [
      ExactMetric(), ProjectedMetric(rank: .fixed(4)), ProjectedMetric(rank: .share(1, atMost: 4)), KernelMetric(),
      IterativeMetric(tolerance: 1e-13, iterations: 400), DiagonalMetric(), SharedMetric(), AverageMetric(decay: 0),
      PaperMetric(decay: 0.75), KroneckerMetric(), QuasiDiagonalMetric(), try AutoMetric(costs: costs),
    ]
  }

  @Test(arguments: Kind.allCases, [false, true]) func directions(kind: Kind, isInside: Bool) throws {
    for metric in try Self.metrics() {
      try direction(Double.self, metric, kind, isInside, 1e-9)
      try direction(Float.self, metric, kind, isInside, 2e-3)
    }
  }

  private func direction<S: KernelScalar>(
    _: S.Type, _ metric: any Metric, _ kind: Kind, _ isInside: Bool, _ tolerance: Double
  ) throws {
    let site = site(S.self, kind)
    let what = "\(metric), \(kind), \(S.self)"
    guard let expected = expected(metric, kind, isInside: isInside) else {
      let error = failure { _ = try metric.makeCurvature(for: site, isInside: isInside) } as? FisherError
      guard case .unsupportedForm("tokens", _, metric.name, _)? = error else {
        Issue.record("\(what): expected that there is no way, found \(String(describing: error))")
        return
      }
      return
    }
    let curvature = try metric.makeCurvature(for: site, isInside: isInside)
    // The second of two windows: nothing of the first is in it.
    let rounds = metric is PaperMetric ? 1 : 2
    for _ in 1...rounds {
      try observe(S.self, kind) { (observed) throws(FisherError) in try curvature.observe(observed) }
      try curvature.refresh()
    }
    #expect(site.takeIncidents().isEmpty, "\(what)")
    var direction = try Matrix<S>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    let comparison = Comparison.normwise(direction.numbers, expected, tolerance: tolerance)
    #expect(comparison.isAllowed, "\(what): \(comparison)")
  }

  /// In a subspace: as rows of one position each that are √positions as long.
  @Test(arguments: [Kind.neurons, .linear, .softmax]) func projected(kind: Kind) throws {
    let scaled = x.map { $0 * Double(positions).squareRoot() }
    for rank in [ProjectedMetric.Rank.fixed(2), .share(0.8, atMost: 3)] {
      let metric = ProjectedMetric(rank: rank)
      let tokens = try metric.makeCurvature(for: site(Double.self, kind))
      let rows = try metric.makeCurvature(
        for: CurvatureSite<Double>(
          Site(name: "rows", neurons: m, order: d, subsystem: kind.subsystem), batchSize: samples * positions,
          refreshInterval: 1, damping: .absolute(damping)))
      for _ in 1...2 {
        try observe(Double.self, kind) { (observed) throws(FisherError) in try tokens.observe(observed) }
        try rows.observe(inputs: .make(scaled, rows: 15, columns: d), preactivations: .make(z, rows: 15, columns: m))
        try tokens.refresh()
        try rows.refresh()
      }
      var first = try Matrix<Double>.make(v, rows: m, columns: d)
      var second = try Matrix<Double>.make(v, rows: m, columns: d)
      try tokens.precondition(&first)
      try rows.precondition(&second)
      #expect(Comparison.normwise(first.numbers, second.numbers, tolerance: 1e-12).isAllowed, "\(kind), \(rank)")
    }
  }

  /// Rows are drawn, whatever samples they are of, and stand for a third of a sample each.
  @Test(arguments: [1, 7, 14], [Kind.neurons, .softmax]) func windows(limit: Int, kind: Kind) throws {
    let curvature = try ExactMetric(windowSamples: limit).makeCurvature(for: site(Double.self, kind))
    try observe(Double.self, kind) { (observed) throws(FisherError) in try curvature.observe(observed) }
    try curvature.refresh()
    var direction = try Matrix<Double>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    var draws = WindowDraws()
    let expected = eliminate(matrix(kind, rows: draws.rows(limit, of: 15)), v, damping: damping)
    let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-10)
    #expect(comparison.isAllowed, "\(kind), \(limit) rows: \(comparison)")
    #expect(SampleWindow<Double>.capacity(for: site(Double.self, kind), limit: 8192) == samples * positions)
  }

  /// The scale and the shift of a channel, over all positions: every metric holds them as they are.
  @Test func channels() throws {
    for metric in try Self.metrics() {
      let preconditioner = try Preconditioner<Double>(
        sites: [Site(name: "norm", neurons: m, order: 2, subsystem: BatchNorm(), positions: positions)],
        metric: metric, damping: .absolute(damping), schedule: RefreshSchedule(interval: 1), positions: .sum,
        batchSize: samples)
      try preconditioner.observe("norm", inputs: z, preactivations: z)
      try preconditioner.refreshIfDue()
      var direction = Array(v.prefix(2 * m))
      try preconditioner.direction(&direction, at: "norm")
      let expected = (0..<m).flatMap { i -> [Double] in
        var block = [0.0, 0, 0, 0]
        for row in 0..<samples * positions {
          let one = [z[row * m + i], 1]
          for k in block.indices { block[k] += one[k / 2] * one[k % 2] / Double(samples) }
        }
        return eliminate(block, Array(v[2 * i..<2 * i + 2]), damping: damping)
      }
      let comparison = Comparison.normwise(direction, expected, tolerance: 1e-12)
      #expect(comparison.isAllowed, "\(metric): \(comparison)")
    }
    try Observation<Double>.with(
      inputs: .make(z, rows: 15, columns: m), preactivations: .make(z, rows: 15, columns: m), positions: positions
    ) { (observed) throws(FisherError) in
      let block = try BatchNorm().rfim(observed).block(1, 1).numbers
      let square = (0..<15).reduce(0) { $0 + z[$1 * m + 1] * z[$1 * m + 1] } / 5
      #expect(abs(block[0] - square) < 1e-12 && block[3] == 3)
    }
  }
}
