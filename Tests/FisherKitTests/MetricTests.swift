import FisherKit
import FisherKitTestSupport
import Testing

/// The kernel and iterative metrics are the exact one; the diagonal one is its diagonal.
@Suite struct MetricTests {
  private let m = 5
  private let damping = 0.02

  /// Directions for two windows of n samples of d inputs by a metric, and what `expected` makes of them.
  private func compare<S: KernelScalar>(
    _: S.Type, _ metric: any Metric, _ kind: LayerKind, n: Int, d: Int, damping: Double? = nil, tolerance: Double,
    expected: (_ x: [Double], _ z: [Double], _ v: [Double]) -> [Double]
  ) throws {
    let curvature = try metric.makeCurvature(
      for: CurvatureSite<S>(
        Site(name: "layer", neurons: m, order: d, subsystem: kind.subsystem), batchSize: n,
        refreshInterval: 1, damping: .absolute(damping ?? self.damping)))
    var generator = SplitMix64(seed: 61)
    for round in 1...2 {
      let x = generator.samples(n: n, d: d)
      let z = generator.normal(n * m)
      try curvature.observe(
        inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
      try curvature.refresh()
      // Twice: what a step leaves behind is not to be found in the next.
      for _ in 1...2 {
        let v = generator.normal(m * d)
        var direction = try Matrix<S>.make(v, rows: m, columns: d)
        try curvature.precondition(&direction)
        let comparison = Comparison.normwise(direction.numbers, expected(x, z, v), tolerance: tolerance)
        #expect(comparison.isAllowed, "\(metric), \(S.self), \(kind), n \(n) d \(d) round \(round): \(comparison)")
      }
    }
    #expect(curvature.bytes > 0)
  }

  /// Windows of fewer samples than inputs, as many, and more.
  @Test(arguments: LayerKind.allCases, [(1, 7), (6, 20), (9, 9), (40, 8)])
  func kernelIsExact(kind: LayerKind, shape: (n: Int, d: Int)) throws {
    let (n, d) = shape
    for (damping, tolerance) in [(0.02, 1e-10), (1e-4, 1e-8)] {
      try compare(Double.self, KernelMetric(), kind, n: n, d: d, damping: damping, tolerance: tolerance) {
        kind.direction(x: $0, z: $1, v: $2, d: d, m: m, damping: damping)
      }
    }
    try compare(Float.self, KernelMetric(), kind, n: n, d: d, tolerance: 1e-3) {
      kind.direction(x: $0, z: $1, v: $2, d: d, m: m, damping: damping)
    }
  }

  @Test(arguments: LayerKind.allCases, [(1, 7), (6, 20), (40, 8)])
  func iterativeConvergesToExact(kind: LayerKind, shape: (n: Int, d: Int)) throws {
    let (n, d) = shape
    for (tolerance, iterations) in [(1e-1, 200), (1e-4, 200), (1e-12, 400)] {
      let metric = IterativeMetric(tolerance: tolerance, iterations: iterations)
      // The residual is below the tolerance; the error may be larger by the condition, no more than 1/λ of the inputs.
      try compare(Double.self, metric, kind, n: n, d: d, tolerance: min(1, 2e3 * tolerance)) {
        kind.direction(x: $0, z: $1, v: $2, d: d, m: m, damping: damping)
      }
    }
    try compare(
      Float.self, IterativeMetric(tolerance: 1e-6, iterations: 200), kind, n: n, d: d, tolerance: 1e-2
    ) { kind.direction(x: $0, z: $1, v: $2, d: d, m: m, damping: damping) }
  }

  /// One iteration is not enough: the limit counts.
  @Test func iterationsAreLimited() throws {
    let (n, d) = (40, 8)
    func error(_ iterations: Int) throws -> Double {
      let curvature = try IterativeMetric(tolerance: 1e-10, iterations: iterations).makeCurvature(
        for: CurvatureSite<Double>(
          Site(name: "layer", neurons: m, order: d, subsystem: NonlinearLayer(Tanh())), batchSize: n,
          refreshInterval: 1, damping: .absolute(damping)))
      var generator = SplitMix64(seed: 62)
      let (x, z, v) = (generator.samples(n: n, d: d), generator.normal(n * m), generator.normal(m * d))
      try curvature.observe(inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
      _ = try curvature.refresh()
      var direction = try Matrix<Double>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let exact = LayerKind.neurons.direction(x: x, z: z, v: v, d: d, m: m, damping: damping)
      return Comparison.normwise(direction.numbers, exact, tolerance: 0).error
    }
    let (one, few, many) = (try error(1), try error(4), try error(30))
    #expect(one > few && few > many && many < 1e-8 && one > 1e-2, "errors \(one), \(few), \(many)")
  }

  @Test(arguments: LayerKind.allCases) func diagonal(kind: LayerKind) throws {
    let (n, d) = (12, 6)
    let expected: ([Double], [Double], [Double]) -> [Double] = { x, z, v in
      let nu =
        kind == .softmax
        ? Reference.softmax(z: z, n: n, m: m).nu : z.map { Reference.Activation.tanh.nu($0) }
      return (0..<m * d).map { k in
        let (i, a) = (k / d, k % d)
        let sum = (0..<n).reduce(0) { $0 + nu[$1 * m + i] * x[$1 * d + a] * x[$1 * d + a] }
        return v[k] / (sum / Double(n) + damping)
      }
    }
    try compare(Double.self, DiagonalMetric(), kind, n: n, d: d, tolerance: 1e-12, expected: expected)
    try compare(Float.self, DiagonalMetric(), kind, n: n, d: d, tolerance: 1e-4, expected: expected)
  }

  /// In single precision a relative damping of blocks of zeros would be one that nothing can be divided by.
  @Test(arguments: LayerKind.allCases) func kernelsOfZeros(kind: LayerKind) throws {
    let site = CurvatureSite<Float>(
      Site(name: "layer 4", neurons: 2, order: 3, subsystem: kind.subsystem), batchSize: 5,
      refreshInterval: 1, damping: .relative(0.1))
    let curvature = try KernelMetric().makeCurvature(for: site)
    var generator = SplitMix64(seed: 63)
    for extreme in [800.0, 90, 50] {
      let z = (0..<10).map { kind == .softmax && $0 % 2 == 0 ? -extreme : extreme }
      try curvature.observe(
        inputs: .make(generator.samples(n: 5, d: 3), rows: 5, columns: 3), preactivations: .make(z, rows: 5, columns: 2)
      )
      try curvature.refresh()
      var direction = try Matrix<Float>.make([1, 2, 3, 4, 5, 6], rows: 2, columns: 3)
      try curvature.precondition(&direction)
      let isFinite = direction.isFinite
      #expect(isFinite, "\(kind), pre-activations \(extreme)")
    }
  }

  /// Neurons without information and no damping: reported by name, not divided by zero.
  @Test func singular() throws {
    func refresh(_ metric: any Metric, damping: Double) throws -> (incidents: [Incident], direction: [Double]) {
      let site = CurvatureSite<Double>(
        Site(name: "layer 4", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh())), batchSize: 5,
        refreshInterval: 1, damping: .absolute(damping))
      let curvature = try metric.makeCurvature(for: site)
      var generator = SplitMix64(seed: 63)
      try curvature.observe(
        inputs: .make(generator.samples(n: 5, d: 3), rows: 5, columns: 3),
        preactivations: .make(Array(repeating: 800, count: 10), rows: 5, columns: 2))
      try curvature.refresh()
      var direction = try Matrix<Double>.make([1, 2, 3, 4, 5, 6], rows: 2, columns: 3)
      try curvature.precondition(&direction)
      return (site.takeIncidents(), direction.numbers)
    }
    for metric in [DiagonalMetric(), IterativeMetric()] as [any Metric] {
      let (incidents, direction) = try refresh(metric, damping: 0)
      #expect(
        incidents == [0, 1].map { Incident(layer: "layer 4", neuron: $0, remedy: .plainGradient) }, "\(metric)")
      // (where nothing is known of the matrix the solution is the gradient, or for conjugate gradients none)
      #expect(direction.allSatisfy(\.isFinite) && (metric is IterativeMetric || direction == [1, 2, 3, 4, 5, 6]))
      let (none, damped) = try refresh(metric, damping: 1e-3)
      #expect(
        none.isEmpty && Comparison.normwise(damped, [1, 2, 3, 4, 5, 6].map { $0 / 1e-3 }, tolerance: 1e-12).isAllowed)
    }
    guard
      case .invalidArgument("damping", _, _)? =
        failure(of: { _ = try refresh(KernelMetric(), damping: 0) }) as? FisherError
    else {
      Issue.record("the kernel metric took the damping 0")
      return
    }
    #expect(try refresh(KernelMetric(), damping: .leastNonzeroMagnitude).direction.allSatisfy(\.isFinite))
  }
}
