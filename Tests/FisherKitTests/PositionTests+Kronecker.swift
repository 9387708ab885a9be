import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Several positions in one Kronecker product, and what they count for.
extension PositionTests {
  /// As one Kronecker product: its matrix, products, solves, blocks and eigenvalues.
  @Test(arguments: Kind.allCases) func kroneckerValues(kind: Kind) throws {
    func value<S: KernelScalar>(_: S.Type, _ tolerance: Double) throws {
      try observe(S.self, kind) { (observed) throws(FisherError) in
        let rfim = try kind.subsystem.kroneckerRFIM(observed)
        let (expected, size) = (kroneckerMatrix(kind), m * d)
        func expectEqual(_ found: [Double], _ expected: [Double], _ what: String, _ factor: Double = 1) {
          let comparison = Comparison.normwise(found, expected, tolerance: factor * tolerance)
          #expect(comparison.isAllowed, "\(what) of \(kind), \(S.self): \(comparison)")
        }
        expectEqual(try rfim.dense().numbers, expected, "matrix")
        if kind == .linear || kind == .coupled { expectEqual(expected, matrix(kind), "what it stands for") }
        var given = try Matrix<S>(rows: m, columns: d)
        for k in 0..<size { given[k / d, k % d] = S(v[k]) }
        let v = given.numbers
        var product = try Matrix<S>(rows: m, columns: d)
        try rfim.multiply(&product, given)
        expectEqual(
          product.numbers, (0..<size).map { i in (0..<size).reduce(0) { $0 + expected[i * size + $1] * v[$1] } },
          "product")
        let report = try rfim.solve(&given, damping: damping, route: .automatic, memoryCap: 1 << 30)
        expectEqual(given.numbers, eliminate(expected, v, damping: damping), "solution", 1e3)
        #expect((report.errorBound ?? 1) <= 1e-9)
        let spectrum = try rfim.spectrum(memoryCap: 1 << 30)
        let trace = (0..<size).reduce(0) { $0 + expected[$1 * size + $1] }
        #expect(spectrum.eigenvalues.count == size && abs(spectrum.trace / trace - 1) < 1e3 * tolerance)
        let block = try rfim.block(1, 2).numbers
        expectEqual(
          block, (0..<d * d).map { expected[(d + $0 / d) * size + 2 * d + $0 % d] }, "block")
      }
    }
    try value(Double.self, 1e-12)
    try value(Float.self, 1e-5)
  }

  /// Positions that count for less: a matrix divided by their number, or its square root.
  @Test(arguments: PositionWeight.allCases) func weights(weight: PositionWeight) throws {
    let factor: Double =
      switch weight {
      case .sum: 1
      case .root: 1 / Double(positions).squareRoot()
      case .mean: 1 / Double(positions)
      }
    for metric: any Metric in [ExactMetric(), PaperMetric(decay: 0.75)] {
      for kind in [Kind.neurons, .softmax] where kind == .neurons || metric is ExactMetric {
        var site = site(Double.self, kind)
        site.positionWeight = weight
        let curvature = try metric.makeCurvature(for: site, isInside: true)
        try observe(Double.self, kind) { (observed) throws(FisherError) in try curvature.observe(observed) }
        try curvature.refresh()
        var direction = try Matrix<Double>.make(v, rows: m, columns: d)
        try curvature.precondition(&direction)
        var whole = matrix(kind).map { $0 * factor }
        if metric is PaperMetric {
          whole = whole.indices.map { 0.25 * whole[$0] + ($0 % (m * d + 1) == 0 ? 0.75 : 0) }
        }
        let comparison = Comparison.normwise(
          direction.numbers, eliminate(whole, v, damping: damping), tolerance: 1e-10)
        #expect(comparison.isAllowed, "\(metric), \(kind), \(weight): \(comparison)")
      }
    }
    let preconditioner = try Preconditioner<Double>(
      sites: [Site(name: "norm", neurons: m, order: 2, subsystem: BatchNorm(), positions: positions)],
      metric: ExactMetric(), damping: .absolute(damping), schedule: RefreshSchedule(interval: 1), positions: weight,
      batchSize: samples)
    try preconditioner.observe("norm", inputs: z, preactivations: z)
    try preconditioner.refreshIfDue()
    var direction = Array(v.prefix(2 * m))
    try preconditioner.direction(&direction, at: "norm")
    var expected: [Double] = []
    for i in 0..<m {
      var block: [Double] = [0, 0, 0, 0]
      for row in 0..<samples * positions {
        let one: [Double] = [z[row * m + i], 1]
        for k in block.indices { block[k] += factor * one[k / 2] * one[k % 2] / Double(samples) }
      }
      expected += eliminate(block, Array(v[2 * i..<2 * i + 2]), damping: damping)
    }
    #expect(Comparison.normwise(direction, expected, tolerance: 1e-12).isAllowed, "\(weight)")
  }
}
