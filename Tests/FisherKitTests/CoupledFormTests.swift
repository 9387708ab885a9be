import FisherKitTestSupport
import Testing

@testable import FisherKit

/// A subsystem from outside whose outputs vary together: normal ones with a precision w(z) RRᵀ of rank 2.
private struct PrecisionLayer: Subsystem, Coupling {
  let roots: [[Double]]
  var description: String { "layer of correlated outputs" }
  var form: Form { .coupled(self) }
  func rank(neurons m: Int) -> Int { roots.count }

  /// By the sample's pre-activations, so that no two samples have the same.
  static func weight(_ z: Double) -> Double { 1 + 0.5 * z * z }

  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        nu[s, i] = S(Self.weight(Double(z[s, 0])) * roots.reduce(0) { $0 + $1[i] * $1[i] })
      }
    }
  }

  func covariance<S: KernelScalar>(
    preactivations z: borrowing Matrix<S>
  ) throws(FisherError) -> any SampleCovariance<S> {
    var all = try Matrix<S>(rows: z.rows * roots.count, columns: z.columns, what: "roots")
    for s in 0..<z.rows {
      let scale = Self.weight(Double(z[s, 0])).squareRoot()
      for (k, root) in roots.enumerated() {
        for i in 0..<z.columns { all[s * roots.count + k, i] = S(scale * root[i]) }
      }
    }
    return try RootCovariance(roots: all, samples: z.rows)
  }
}

@Suite struct CoupledFormTests {
  private let n = 11
  private let d = 4
  private let m = 3
  private let layer = PrecisionLayer(roots: [[1, 0.5, -0.3], [0.2, -1, 0.7]])
  private let x: [Double]
  private let z: [Double]
  private let v: [Double]

  init() {
    var generator = SplitMix64(seed: 91)
    x = Reference.Precision.float.round(generator.samples(n: 11, d: 4))
    z = Reference.Precision.float.round(generator.normal(11 * 3))
    v = generator.normal(3 * 4)
  }

  /// (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ, summed as it is written.
  private var dense: [Double] {
    var matrix = [Double](repeating: 0, count: m * d * m * d)
    for s in 0..<n {
      let weight = PrecisionLayer.weight(z[s * m]) / Double(n)
      for i in 0..<m {
        for j in 0..<m {
          let a = weight * layer.roots.reduce(0) { $0 + $1[i] * $1[j] }
          for p in 0..<d {
            for q in 0..<d { matrix[(i * d + p) * m * d + j * d + q] += a * x[s * d + p] * x[s * d + q] }
          }
        }
      }
    }
    return matrix
  }

  private func site<S: KernelScalar>(_: S.Type, damping: Damping = 0.1, samples: Int = 11) -> CurvatureSite<S> {
    CurvatureSite<S>(
      Site(name: "layer 7", neurons: m, order: d, subsystem: layer), batchSize: samples,
      refreshInterval: 1, damping: damping)
  }

  private func direction<S: KernelScalar>(_ metric: any Metric, _ site: CurvatureSite<S>) throws -> [Double] {
    let curvature = try metric.makeCurvature(for: site)
    #expect(curvature.bytes == metric.estimate(for: site).bytes, "\(metric)")
    try curvature.observe(inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
    try curvature.refresh()
    #expect(site.takeIncidents().isEmpty)
    var direction = try Matrix<S>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    return direction.numbers
  }

  /// The value has the true matrix, its products, and solves by every route.
  @Test func value() throws {
    try value(Double.self, 1e-12)
    try value(Float.self, 2e-6)
  }

  private func value<S: KernelScalar>(_: S.Type, _ tolerance: Double) throws {
    let rfim = try layer.rfim(
      inputs: Matrix<S>.make(x, rows: n, columns: d), preactivations: Matrix<S>.make(z, rows: n, columns: m))
    #expect(Comparison.normwise(try rfim.dense().numbers, dense, tolerance: tolerance).isAllowed)
    #expect(!rfim.isBlockDiagonal)
    var product = try Matrix<S>.make(v, rows: m, columns: d)
    try rfim.multiply(&product, .make(v, rows: m, columns: d))
    let expected = (0..<m * d).map { i in (0..<m * d).reduce(0) { $0 + dense[i * m * d + $1] * v[$1] } }
    #expect(Comparison.normwise(product.numbers, expected, tolerance: tolerance).isAllowed)
    for route in [SolveRoute.automatic, .dense, .lowRank, .conjugateGradients(tolerance: 1e-14, iterations: 500)] {
      var solution = try Matrix<S>.make(v, rows: m, columns: d)
      try rfim.solve(&solution, damping: 0.01, route: route, memoryCap: 1 << 30)
      let comparison = Comparison.normwise(
        solution.numbers, eliminate(dense, v.map { Double(S($0)) }, damping: 0.01), tolerance: max(1e-9, tolerance / 10)
      )
      #expect(comparison.isAllowed, "\(S.self), \(route): \(comparison)")
    }
  }

  /// Exact and projected, of all directions, take all neurons together.
  @Test func directions() throws {
    for metric in [ExactMetric(), ProjectedMetric(rank: .fixed(4)), try AutoMetric(rank: 4)] as [any Metric] {
      let found = try direction(metric, site(Double.self))
      let comparison = Comparison.normwise(found, eliminate(dense, v, damping: 0.1), tolerance: 1e-9)
      #expect(comparison.isAllowed, "\(metric): \(comparison)")
      let single = try direction(metric, site(Float.self))
      #expect(Comparison.normwise(single, eliminate(dense, v, damping: 0.1), tolerance: 1e-4).isAllowed, "\(metric)")
    }
    let trace = (0..<m * d).reduce(0) { $0 + dense[$1 * (m * d + 1)] }
    let lambda = 0.3 * trace / Double(m * d).squareRoot()
    let found = try direction(ExactMetric(), site(Double.self, damping: .norm(0.3)))
    #expect(Comparison.normwise(found, eliminate(dense, v, damping: lambda), tolerance: 1e-9).isAllowed)
  }

  /// What is made of the neurons' own blocks takes the diagonals of the A_s, as it says.
  @Test func ownBlocks() throws {
    func block(_ i: Int) -> [Double] {
      (0..<d * d).map { dense[(i * d + $0 / d) * m * d + i * d + $0 % d] }
    }
    let blocks = (0..<m).flatMap { i in eliminate(block(i), Array(v[i * d..<(i + 1) * d]), damping: 0.1) }
    let average = try direction(AverageMetric(decay: 0), site(Double.self))
    #expect(Comparison.normwise(average, blocks, tolerance: 1e-9).isAllowed)
    let diagonal = try direction(DiagonalMetric(), site(Double.self))
    let expected = v.indices.map { v[$0] / (dense[$0 * (m * d + 1)] + 0.1) }
    #expect(Comparison.normwise(diagonal, expected, tolerance: 1e-9).isAllowed)
  }

  /// A metric that has no way for it says so, and names the layer, the form and what has one.
  @Test func noWay() throws {
    for metric in [KernelMetric(), IterativeMetric()] as [any Metric] {
      let error = failure { _ = try metric.makeCurvature(for: site(Double.self)) } as? FisherError
      guard case .unsupportedForm("layer 7", let form, metric.name, _)? = error else {
        Issue.record("\(metric): \(String(describing: error))")
        continue
      }
      #expect(form == "coupled neurons (layer of correlated outputs)")
      #expect(
        "\(error!)".contains("layer 7: expected a form that the \(metric.name) metric has a way for, found coupled"))
    }
    let wide = CurvatureSite<Double>(
      Site(name: "wide", neurons: 1000, order: 1000, subsystem: layer), batchSize: 9, refreshInterval: 1,
      damping: 0.1)
    guard case .exceedsMemoryCap? = failure(of: { _ = try ExactMetric().makeCurvature(for: wide) }) as? FisherError
    else {
      Issue.record("a matrix of a million rows was not refused")
      return
    }
    #expect(throws: FisherError.self) { _ = try RootCovariance(roots: Matrix<Double>(rows: 5, columns: 2), samples: 2) }
  }

  /// A network with such a layer trains.
  @Test func trains() throws {
    var generator = SeededGenerator(seed: 5, stream: .initialisation)
    let hidden = try Dense<Double>(
      inputs: 3, outputs: 3, activation: Tanh(), subsystem: layer, name: "layer 1", using: &generator)
    let last = try Dense<Double>(
      inputs: 3, outputs: 3, activation: Linear(), subsystem: SoftmaxLayer(), name: "layer 2",
      using: &generator)
    let model = try Sequential<Double>([hidden, last], batchCapacity: 11)
    let optimizer = try RNGD<Double>(metric: ExactMetric(), learningRate: 0.1, refreshInterval: 3)
    try optimizer.prepare(for: model, batchSize: 11)
    var losses: [Double] = []
    for _ in 0..<60 {
      var same = SplitMix64(seed: 93)
      let labels = try fill(model, samples: 11, using: &same)
      losses.append(model.gradients(labels: labels.span).loss)
      #expect(try optimizer.step(model).isEmpty)
    }
    #expect(losses.last! < 0.7 * losses[0], "\(losses[0]) to \(losses.last!)")
  }
}
