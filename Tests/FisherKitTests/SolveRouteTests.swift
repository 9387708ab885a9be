import FisherKit
import FisherKitTestSupport
import Testing

/// Damped solves by all routes, against elimination and against each other.
@Suite struct SolveRouteTests {
  /// A coupled layer and what it was made of.
  struct System: Sendable, CustomStringConvertible {
    var description: String
    var n: Int
    var d: Int
    var m: Int
    var outputs: Int?

    func make<S: KernelScalar>(_: S.Type) throws -> any RFIM<S> {
      let sample = Sample(n: n, d: d, m: m, seed: 21)
      guard let outputs else {
        return try SoftmaxLayer().rfim(inputs: sample.inputs(S.self), preactivations: sample.preactivations())
      }
      var random = SplitMix64(seed: 22)
      return try TwoLayers(hidden: Tanh(), outer: NonlinearLayer(Sigm())).rfim(
        inputs: sample.inputs(S.self), preactivations: sample.preactivations(),
        outerWeights: .make(random.normal(outputs * (m + 1)), rows: outputs, columns: m + 1))
    }
  }

  static let systems = [
    System(description: "softmax, few samples", n: 3, d: 6, m: 5),
    System(description: "softmax, many samples", n: 40, d: 4, m: 3),
    System(description: "softmax of one class", n: 5, d: 3, m: 1),
    System(description: "two layers, few samples", n: 4, d: 7, m: 5, outputs: 2),
    System(description: "two layers, many samples", n: 60, d: 4, m: 4, outputs: 3),
  ]

  static let routes: [SolveRoute] = [
    .dense, .lowRank, .conjugateGradients(tolerance: 1e-13, iterations: 2000), .automatic,
  ]

  @Test(arguments: systems, [1.0, 1e-2, 1e-4]) func agree(system: System, damping: Double) throws {
    let fisher = try system.make(Double.self)
    let (m, d) = (system.m, system.d)
    var random = SplitMix64(seed: 23)
    let v = random.normal(m * d)
    let expected = eliminate(try fisher.numbers, v, damping: damping)
    for route in Self.routes {
      var solution = try Matrix<Double>.make(v, rows: m, columns: d)
      let report = try fisher.solve(&solution, damping: damping, route: route, memoryCap: defaultMemoryCap)
      #expect(report.route != .automatic && (route == .automatic || report.route == route))
      let comparison = Comparison.normwise(solution.numbers, expected, tolerance: 1e-9)
      #expect(comparison.isAllowed, "\(system), λ \(damping), \(route): \(comparison)")
    }
  }

  /// In `Float` the samples are others by their rounding: the error is that times the condition number, times no more
  /// than 32. (What the same samples give is in `AccurateSolveTests`.)
  @Test(arguments: systems, [1.0, 1e-2, 1e-3]) func agreeInFloat(system: System, damping: Double) throws {
    let exact = try system.make(Double.self)
    let fisher = try system.make(Float.self)
    let (m, d) = (system.m, system.d)
    var random = SplitMix64(seed: 23)
    let v = random.normal(m * d)
    let expected = eliminate(try exact.numbers, v, damping: damping)
    let condition = try exact.spectrum().conditionNumber(damping: damping)
    let routes: [SolveRoute] = [.dense, .lowRank, .conjugateGradients(tolerance: 1e-6, iterations: 2000), .automatic]
    for route in routes {
      var solution = try Matrix<Float>.make(v, rows: m, columns: d)
      try fisher.solve(&solution, damping: damping, route: route, memoryCap: defaultMemoryCap)
      let comparison = Comparison.normwise(solution.numbers, expected, tolerance: 32 * condition * 0x1p-24)
      #expect(comparison.isAllowed, "\(system), λ \(damping), \(route), condition \(condition): \(comparison)")
    }
  }

  /// Products with unit vectors are the columns of the dense matrix, and blocks its parts.
  @Test(arguments: systems) func productsAndBlocks(system: System) throws {
    let fisher = try system.make(Double.self)
    let (m, d) = (system.m, system.d)
    let dense = try fisher.numbers
    let scale = max(Reference.maximumNorm(dense), 1)
    for column in 0..<m * d {
      var unit = Array(repeating: 0.0, count: m * d)
      unit[column] = 1
      var product = try Matrix<Double>(rows: m, columns: d)
      try fisher.multiply(&product, try .make(unit, rows: m, columns: d))
      let expected = (0..<m * d).map { dense[$0 * m * d + column] }
      #expect(Comparison.normwise(product.numbers, expected, scale: scale, tolerance: 1e-13).isAllowed)
    }
    for (i, j) in [(0, 0), (m - 1, 0), (0, m - 1), (m / 2, m - 1)] {
      let block = try fisher.block(i, j).numbers
      let expected = (0..<d * d).map { dense[(i * d + $0 / d) * m * d + j * d + $0 % d] }
      #expect(Comparison.normwise(block, expected, scale: scale, tolerance: 1e-14).isAllowed)
    }
    var trace = 0.0
    for a in 0..<m * d { trace += dense[a * m * d + a] }
    #expect(abs(try fisher.trace() - trace) <= 1e-12 * scale)
  }

  /// The two likeliest classes a few roundings apart: the square roots of their probabilities can be the same number.
  @Test func nearlyTiedClasses() throws {
    let (n, d, m) = (3, 2, 3)
    var random = SplitMix64(seed: 24)
    for round in 1...400 {
      var z = random.normal(n * m)
      for s in 0..<n {
        z[s * m] -= 4
        z[s * m + 2] = z[s * m + 1] * (1 + Double(round % 4) * 0x1p-52)
      }
      let fisher = try SoftmaxLayer().rfim(
        inputs: .make(random.samples(n: n, d: d), rows: n, columns: d),
        preactivations: Matrix<Double>.make(z, rows: n, columns: m))
      let v = random.normal(m * d)
      var solution = try Matrix<Double>.make(v, rows: m, columns: d)
      try fisher.solve(&solution, damping: 0.01, route: .lowRank, memoryCap: defaultMemoryCap)
      let expected = eliminate(try fisher.numbers, v, damping: 0.01)
      let comparison = Comparison.normwise(solution.numbers, expected, tolerance: 1e-9)
      #expect(comparison.isAllowed, "round \(round): \(comparison)")
    }
  }

  /// Conjugate gradients on a singular matrix run off to numbers that are none: that is no solution.
  @Test func conjugateGradientsWithoutAnInverse() throws {
    let fisher = try SoftmaxLayer().rfim(
      inputs: Matrix<Double>.make([1], rows: 1, columns: 1), preactivations: .make([0, 0], rows: 1, columns: 2))
    var v = try Matrix<Double>.make([1, 1], rows: 2, columns: 1)
    let singular = failure(of: {
      try fisher.solve(
        &v, damping: 0, route: .conjugateGradients(tolerance: 1e-12, iterations: 50), memoryCap: defaultMemoryCap)
    })
    guard case .notConverged = singular as? FisherError else {
      Issue.record("found \(String(describing: singular))")
      return
    }
  }

  @Test func refusals() throws {
    let fisher = try Self.systems[0].make(Double.self)
    var v = try Matrix<Double>(rows: 5, columns: 6)
    v[0, 0] = 1
    // Softmax: equal shifts of all weights change nothing, so without damping there is no inverse.
    let singular = failure(of: { try fisher.solve(&v, damping: 0, route: .dense, memoryCap: defaultMemoryCap) })
    guard case .notPositiveDefinite = singular as? FisherError else {
      Issue.record("found \(String(describing: singular))")
      return
    }
    for route in Self.routes {
      let negative = failure(of: { try fisher.solve(&v, damping: -1, route: route, memoryCap: defaultMemoryCap) })
      guard case .invalidArgument("damping", _, "-1.0") = negative as? FisherError else {
        Issue.record("\(route): found \(String(describing: negative))")
        return
      }
    }
    let dense = failure(of: { _ = try fisher.dense(memoryCap: 1000) })
    guard case .exceedsMemoryCap(_, let bytes, 1000, let instead) = dense as? FisherError else {
      Issue.record("found \(String(describing: dense))")
      return
    }
    #expect(bytes >= 30 * 30 * 8 && instead.contains("conjugate gradients"))
    let lowRank = failure(of: { try fisher.solve(&v, damping: 1, route: .lowRank, memoryCap: 1000) })
    guard case .exceedsMemoryCap = lowRank as? FisherError else {
      Issue.record("found \(String(describing: lowRank))")
      return
    }
    // What does not fit goes by conjugate gradients when the route is left open.
    let report = try fisher.solve(&v, damping: 1, route: .automatic, memoryCap: 1000)
    guard case .conjugateGradients = report.route else {
      Issue.record("found \(report)")
      return
    }
    let hurried = failure(of: {
      try fisher.solve(
        &v, damping: 1e-6, route: .conjugateGradients(tolerance: 1e-14, iterations: 1), memoryCap: defaultMemoryCap)
    })
    guard case .notConverged(_, 1, let residual, 1e-14) = hurried as? FisherError else {
      Issue.record("found \(String(describing: hurried))")
      return
    }
    #expect(residual > 1e-14)
  }
}
