import FisherKitTestSupport
import Testing

@testable import FisherKit

/// λ_i of every kind of block against ρ · tr Ĝ_i / d and ρ · tr Ĝ_i / √d, by Gaussian elimination.
@Suite struct DampingTests {
  private let n = 14
  private let d = 5
  private let m = 4
  private let rho = 0.3

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let metric: any Metric
    var kind = Kind.neurons
  }

  enum Kind { case neurons, softmax, softmaxByNeurons, shared, diagonal }

  static let cases = [
    Case(testDescription: "exact", metric: ExactMetric()),
    Case(testDescription: "exact, softmax", metric: ExactMetric(), kind: .softmax),
    Case(testDescription: "projected", metric: ProjectedMetric(rank: .fixed(5))),
    Case(testDescription: "average", metric: AverageMetric()),
    Case(testDescription: "kernel", metric: KernelMetric()),
    Case(testDescription: "kernel, softmax", metric: KernelMetric(), kind: .softmax),
    Case(testDescription: "iterative", metric: IterativeMetric(tolerance: 1e-12, iterations: 500)),
    Case(
      testDescription: "iterative, softmax", metric: IterativeMetric(tolerance: 1e-12, iterations: 500),
      kind: .softmaxByNeurons),
    Case(testDescription: "shared", metric: SharedMetric(), kind: .shared),
    Case(testDescription: "diagonal", metric: DiagonalMetric(), kind: .diagonal),
  ]

  /// Neurons whose blocks differ by orders of magnitude, one of them without any information: it gets a thousandth of
  /// the layer's mean.
  @Test(arguments: cases, [Damping.Unit.relative, .norm]) func byBlock(test: Case, unit: Damping.Unit) throws {
    let isSoftmax = test.kind == .softmax || test.kind == .softmaxByNeurons
    let site = CurvatureSite<Double>(
      Site(
        name: "layer", neurons: m, order: d,
        subsystem: isSoftmax ? SoftmaxLayer() : NonlinearLayer(Tanh()) as any Subsystem), batchSize: n,
      refreshInterval: 1, damping: .make(rho, unit))
    let curvature = try test.metric.makeCurvature(for: site)
    var generator = SplitMix64(seed: 31)
    let x = generator.samples(n: n, d: d)
    let z = (0..<n * m).map { k in isSoftmax ? generator.normal(1)[0] : [0.1, 3, 6, 800][k % m] + generator.unit() }
    let v = generator.normal(m * d)
    try curvature.observe(inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
    try curvature.refresh()
    #expect(site.takeIncidents().isEmpty)
    var direction = try Matrix<Double>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)

    let numbers = direction.numbers
    let softmax = Reference.softmax(z: z, n: n, m: m)
    var window = Window()
    window.add(
      x: x,
      nu: isSoftmax ? softmax.nu : z.map { test.kind == .shared ? 1 : Reference.Activation.tanh.nu($0) }, samples: n)
    let blocks = window.takeMatrices(neurons: m, order: d)
    let traces = blocks.map { block in (0..<d).reduce(0) { $0 + block[$1 * d + $1] } }
    let mean = traces.reduce(0, +) / Double(m * d)
    let factor = rho * (unit == .norm ? Double(d).squareRoot() : 1)
    let lambdas = traces.map { factor * max($0 / Double(d), 1e-3 * mean) }
    #expect(isSoftmax || test.kind == .shared || lambdas[3] == factor * (1e-3 * mean))
    var expected: [Double] = []
    switch test.kind {
    case .neurons, .shared:
      expected = (0..<m).flatMap { eliminate(blocks[$0], Array(v[$0 * d..<($0 + 1) * d]), damping: lambdas[$0]) }
    case .diagonal: expected = v.indices.map { v[$0] / (blocks[$0 / d][$0 % d * (d + 1)] + lambdas[$0 / d]) }
    case .softmax, .softmaxByNeurons:
      var matrix = Reference.softmaxBlock(x: x, eta: softmax.eta, n: n, d: d, m: m, alpha: 1 / Double(n))
      // (as one block it is of order md)
      let whole = rho * mean * (unit == .norm ? Double(m * d).squareRoot() : 1)
      for k in 0..<m * d { matrix[k * (m * d + 1)] += test.kind == .softmax ? whole : lambdas[k / d] }
      expected = eliminate(matrix, v, damping: 0)
    }
    let comparison = Comparison.normwise(numbers, expected, tolerance: 1e-9)
    #expect(comparison.isAllowed, "\(test.testDescription): \(comparison)")
    for i in 0..<m {
      // (each neuron for itself: the one without information has the longest direction)
      let its = i * d..<(i + 1) * d
      let comparison = Comparison.normwise(
        Array(numbers[its]), Array(expected[its]), tolerance: isSoftmax ? 1e-6 : 1e-8)
      #expect(comparison.isAllowed, "\(test.testDescription), neuron \(i): \(comparison)")
    }
  }

  @Test func batchNormalization() throws {
    let site = CurvatureSite<Double>(
      Site(name: "norm", neurons: m, order: 2, subsystem: BatchNorm()), batchSize: n, refreshInterval: 1,
      damping: .relative(rho))
    let curvature = try #require(try site.curvatureOfItsForm())
    var generator = SplitMix64(seed: 32)
    let (x, v) = (generator.normal(n * m), generator.normal(2 * m))
    let inputs = try Matrix<Double>.make(x, rows: n, columns: m)
    try curvature.observe(inputs: inputs, preactivations: inputs)
    try curvature.refresh()
    var direction = try Matrix<Double>.make(v, rows: m, columns: 2)
    try curvature.precondition(&direction)
    let expected = (0..<m).flatMap { i in
      let channel = (0..<n).map { x[$0 * m + i] }
      let square = channel.reduce(0) { $0 + $1 * $1 } / Double(n)
      let mean = channel.reduce(0, +) / Double(n)
      return eliminate(
        [square, mean, mean, 1], Array(v[2 * i..<2 * i + 2]), damping: rho * (square + 1) / 2)
    }
    let found = direction.numbers
    #expect(Comparison.normwise(found, expected, tolerance: 1e-13).isAllowed)
  }

  /// Without damping there is 16 rounding units of the trace: seen where a feature is always 0, by metrics of both kinds.
  @Test(arguments: [0, 1e-30]) func floor(damping: Double) throws {
    try floor(Double.self, damping)
    try floor(Float.self, damping)
  }

  private func floor<S: KernelScalar>(_: S.Type, _ damping: Double) throws {
    for unit in Damping.Unit.allCases {
      for metric in [ExactMetric(), SharedMetric(), DiagonalMetric()] as [any Metric] {
        let site = CurvatureSite<S>(
          Site(name: "layer", neurons: 1, order: d, subsystem: NonlinearLayer(Tanh())), batchSize: n,
          refreshInterval: 1, damping: .make(damping, unit))
        let curvature = try metric.makeCurvature(for: site)
        var generator = SplitMix64(seed: 33)
        var x = generator.samples(n: n, d: d)
        for s in 0..<n { x[s * d + 2] = 0 }
        let z = generator.normal(n)
        try curvature.observe(inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: 1))
        try curvature.refresh()
        #expect(site.takeIncidents().isEmpty)
        var direction = try Matrix<S>.make([0, 0, 1, 0, 0], rows: 1, columns: d)
        try curvature.precondition(&direction)
        let nu = z.map { metric is SharedMetric ? 1 : Reference.Activation.tanh.nu($0) }
        let trace = (0..<n * d).reduce(0) { $0 + nu[$1 / d] * x[$1] * x[$1] } / Double(n)
        let lambda = 16 * Double(S.ulpOfOne) * trace
        let found = direction.numbers[2] * lambda
        #expect(abs(found - 1) < 1e-4, "\(S.self), \(metric), \(unit): \(found)")
      }
    }
  }

  @Test func descriptionsAndRefusals() throws {
    #expect("\(Damping.usual)" == "0.016 by norm" && "\(Damping.absolute(0.005))" == "0.005")
    #expect("\(Damping.adaptive(from: .relative(0.1)))" == "adaptive from 0.1 by relative")
    for damping in [Damping.relative(-1), .absolute(.infinity), .adaptive(from: .relative(.nan))] {
      guard
        case .invalidArgument("damping", _, _)? = failure(of: { _ = try RNGD<Float>(damping: damping) }) as? FisherError
      else {
        Issue.record("\(damping) was not refused")
        continue
      }
    }
  }
}

extension Damping {
  fileprivate static func make(_ amount: Double, _ unit: Unit) -> Damping {
    switch unit {
    case .absolute: .absolute(amount)
    case .relative: .relative(amount)
    case .norm: .norm(amount)
    }
  }
}
