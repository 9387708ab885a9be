import FisherKitTestSupport
import Testing

@testable import FisherKit

/// A convolution's observation, whose patches are made as they are asked for, is one of the same rows that are all there.
@Suite struct PatchObservationTests {
  private static let costs = MachineCosts(
    products: 1e11, grams: 1e11, factors: 5e10, solves: 3e10, bandwidth: 3e10, call: 1e-6)

  private static func metrics() throws -> [any Metric] {
    [
      ExactMetric(), ExactMetric(windowSamples: 70), ProjectedMetric(rank: .fixed(6), windowSamples: 200),
      KernelMetric(windowSamples: 20), KroneckerMetric(), IterativeMetric(windowSamples: 200), DiagonalMetric(),
      QuasiDiagonalMetric(), SharedMetric(), AverageMetric(), PaperMetric(), try AutoMetric(costs: costs),
    ]
  }

  /// 7 samples of 6×7 positions: more rows than are made at a time.
  @Test(arguments: [(1, false), (2, false), (1, true)]) func metrics(groups: Int, takesFeatures: Bool) throws {
    try compare(Double.self, groups, takesFeatures)
    try compare(Float.self, groups, takesFeatures)
  }

  private func compare<S: KernelScalar>(_: S.Type, _ groups: Int, _ takesFeatures: Bool) throws {
    let (samples, window) = (7, try ImageWindow(.init(6, 7), kernel: 3, padding: 1))
    var generator = SeededGenerator(seed: 3)
    let layer = try Convolution<S>(
      ConvolutionShape(window, channels: 4, outputs: 6, groups: groups), takesFeatures: takesFeatures,
      activation: Tanh(), using: &generator)
    try layer.prepare(batchCapacity: samples)
    var random = SplitMix64(seed: 4)
    let x = random.normal(samples * 42 * 4)
    let input: Matrix<S> =
      takesFeatures
      ? try .make(x, rows: samples, columns: 42 * 4) : try .make(x, rows: samples * 42, columns: 4)
    var output = try Matrix<S>(rows: samples * 42, columns: 6)
    layer.forward(input, into: &output)
    for (place, parameter) in layer.parameters.enumerated() {
      guard let site = parameter.site else { continue }
      #expect(site.hasPatches && site.positions == 42)
      let v = random.normal(parameter.neurons * parameter.order)
      for metric in try Self.metrics() {
        for isInside in [false, true] where isInside || metric is PaperMetric {
          func make() throws -> any Curvature<S> {
            try metric.makeCurvature(
              for: CurvatureSite<S>(site, batchSize: samples, refreshInterval: 1, damping: .absolute(0.1)),
              isInside: isInside)
          }
          let (patched, whole) = (try make(), try make())
          #expect(patched.bytes == patched.estimate.bytes, "\(metric)")
          try layer.observe(input: input) { (index, observed) throws(FisherError) in
            guard index == place else { return }
            try patched.observe(observed)
            try observed.withInputs { (inputs) throws(FisherError) in
              try whole.observe(
                Observation(inputs: inputs, preactivations: observed.preactivations, positions: observed.positions))
            }
          }
          try patched.refresh()
          try whole.refresh()
          var first = try Matrix<S>.make(v, rows: parameter.neurons, columns: parameter.order)
          var second = try Matrix<S>.make(v, rows: parameter.neurons, columns: parameter.order)
          try patched.precondition(&first)
          try whole.precondition(&second)
          let tolerance = S.self == Double.self ? 1e-10 : 1e-4
          let comparison = Comparison.normwise(first.numbers, second.numbers, tolerance: tolerance)
          #expect(comparison.isAllowed, "\(metric), \(parameter.name): \(comparison)")
        }
      }
    }
  }

  /// Every metric holds the windows of a depthwise convolution's channels as they are.
  @Test func depthwise() throws {
    let (samples, window) = (5, try ImageWindow(.init(4, 4), kernel: 3, padding: 1))
    var generator = SeededGenerator(seed: 5)
    let layer = try Convolution<Double>(.depthwise(window, channels: 3), activation: Tanh(), using: &generator)
    try layer.prepare(batchCapacity: samples)
    var random = SplitMix64(seed: 6)
    let input = try Matrix<Double>.make(random.normal(samples * 16 * 3), rows: samples * 16, columns: 3)
    var output = try Matrix<Double>(rows: samples * 16, columns: 3)
    layer.forward(input, into: &output)
    let (parameter, v) = (layer.parameters[0], random.normal(3 * 10))
    var expected: [Double] = []
    try layer.observe(input: input) { (_, observed) throws(FisherError) in
      guard let subsystem = parameter.subsystem else { return }
      expected = eliminate(try subsystem.rfim(observed).dense().numbers, v, damping: 0.1)
    }
    for metric in try Self.metrics() {
      let preconditioner = try Preconditioner<Double>(
        sites: [try #require(parameter.site)], metric: metric, damping: .absolute(0.1),
        schedule: RefreshSchedule(interval: 1), positions: .sum, batchSize: samples)
      try layer.observe(input: input) { (_, observed) throws(FisherError) in
        try preconditioner.observe(0, observed)
      }
      try preconditioner.refreshIfDue()
      var direction = try Matrix<Double>.make(v, rows: 3, columns: 10)
      try preconditioner.direction(&direction, at: 0)
      let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-10)
      #expect(comparison.isAllowed, "\(metric): \(comparison)")
    }
  }

  /// What is said of a network with convolutions beside its training: effective dimensions, and how well steps are foreseen.
  @Test func reports() throws {
    let model = try #require(ModelDescription.named("cnn")).make(
      Float.self, features: 64, outputs: 10, batchCapacity: 40)
    let data = try SyntheticData.make(training: 80, validation: 20, test: 20, seed: 1)
    let dimensions = try model.effectiveDimensions(of: data.samples, 0..<40, damping: .absolute(0.01))
    #expect(dimensions.map(\.order) == [10, 145, 129, 65])
    #expect(dimensions.allSatisfy { $0.dimension > 0 && $0.dimension <= Double($0.order) }, "\(dimensions)")
    let optimizer = try RNGD<Float>(metric: ExactMetric(), learningRate: 0.01)
    let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 20)
    let divergence = try StepDivergence(model: model)
    divergence.keepWeights(of: model)
    var found: [(name: String, OutputDivergence)] = []
    try trainer.run(epochs: 1) { event in
      if case .step = event { found = try divergence.compare(with: model) }
    }
    #expect(found.count == 4)
  }

  /// A metric that is asked for such a site by itself says that it has no way.
  @Test func noOtherWay() throws {
    let site = CurvatureSite<Float>(
      Site(name: "c", neurons: 3, order: 10, subsystem: DepthwiseLayer(NonlinearLayer(Tanh())), positions: 16),
      batchSize: 5, refreshInterval: 1, damping: .usual)
    for metric in try Self.metrics() where !(metric is AutoMetric) {
      #expect(throws: FisherError.self, "\(metric)") { try metric.makeCurvature(for: site) }
    }
  }
}
