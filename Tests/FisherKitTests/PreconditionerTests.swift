import FisherKitTestSupport
import Testing

@testable import FisherKit

/// A preconditioner with gradients of one's own: every way in is the same, to the last digit, and the same as RNGD's.
@Suite struct PreconditionerTests {
  /// A small network under RNGD, whose observations and gradients are taken down before each step.
  private final class Source<S: KernelScalar> {
    let model: Sequential<S>
    let optimizer: RNGD<S>
    let sites: [Site]
    private var generator = SplitMix64(seed: 21)

    init(_ metric: any Metric, _ schedule: RefreshSchedule, pair: Bool = false) throws {
      model = try smallNetwork(S.self, samples: 9).model
      if pair { try model.pairLayers(at: 1) }
      optimizer = try RNGD(metric: metric, learningRate: 0.1, schedule: schedule, trustRegion: .off)
      try optimizer.prepare(for: model, batchSize: 9)
      sites = model.parameters.compactMap(\.site)
    }

    struct Step {
      var inputs: [[S]] = []
      var preactivations: [[S]] = []
      var weights: [[S]] = []
      var gradients: [[S]] = []
      var directions: [[S]] = []
    }

    func step() throws -> Step {
      let labels = try fill(model, samples: 9, using: &generator)
      _ = model.gradients(labels: labels.span)
      var step = Step(weights: model.parameters.map { $0.value.elements.flatMap { $0 } })
      step.gradients = model.parameters.map { $0.gradient.elements.flatMap { $0 } }
      try model.observe { (_, observed) throws(FisherError) in
        step.inputs.append(observed.inputs.elements.flatMap { $0 })
        step.preactivations.append(observed.preactivations.elements.flatMap { $0 })
      }
      #expect(try optimizer.step(model).isEmpty)
      step.directions = model.parameters.map { $0.gradient.elements.flatMap { $0 } }
      return step
    }
  }

  private func matrix<S: KernelScalar>(_ elements: [S], columns: Int) throws -> Matrix<S> {
    var matrix = try Matrix<S>(rows: elements.count / columns, columns: columns)
    for k in elements.indices { matrix[k / columns, k % columns] = elements[k] }
    return matrix
  }

  private func withoutBias<S>(_ inputs: [S], order: Int) -> [S] {
    inputs.indices.filter { $0 % order != order - 1 }.map { inputs[$0] }
  }

  enum Way: String, CaseIterable { case matrix, index, span, array }

  private static let metrics: [any Metric] = [
    ExactMetric(), ProjectedMetric(rank: .fixed(3)), KernelMetric(), IterativeMetric(), DiagonalMetric(),
    SharedMetric(),
    AverageMetric(), PaperMetric(),
  ]

  /// 25 steps with refreshes in between.
  private func compare<S: KernelScalar>(
    _: S.Type, _ metric: any Metric, _ schedule: RefreshSchedule, _ way: Way, hasBias: Bool,
    _ change: (Int, Preconditioner<S>, RNGD<S>) -> Void = { _, _, _ in }
  ) throws {
    let source = try Source<S>(metric, schedule)
    let preconditioner = try Preconditioner<S>(
      sites: source.sites, metric: metric, schedule: schedule, batchSize: 9)
    var bytes: [Int] = []
    for number in 1...25 {
      let interval = source.optimizer.refreshInterval
      let step = try source.step()
      for (k, site) in source.sites.enumerated() {
        let columns = hasBias ? site.order : site.order - 1
        let x = hasBias ? step.inputs[k] : withoutBias(step.inputs[k], order: site.order)
        let z = step.preactivations[k]
        switch way {
        case .matrix:
          try preconditioner.observe(
            site.name, inputs: matrix(x, columns: columns), preactivations: matrix(z, columns: site.neurons))
        case .index:
          try Observation<S>.with(
            inputs: matrix(x, columns: columns), preactivations: matrix(z, columns: site.neurons)
          ) { (observed) throws(FisherError) in try preconditioner.observe(k, observed) }
        case .span: try preconditioner.observe(site.name, inputs: x.span, preactivations: z.span)
        case .array: try preconditioner.observe(site.name, inputs: x, preactivations: z)
        }
      }
      try preconditioner.refreshIfDue()
      // (what the directions of a step have told of the drift is known when the next one begins)
      #expect(preconditioner.refreshInterval == interval)
      for (k, site) in source.sites.enumerated() {
        var gradient = step.gradients[k]
        let product: Double
        switch way {
        case .matrix, .index:
          var value = try matrix(gradient, columns: site.order)
          product =
            way == .matrix
            ? try preconditioner.direction(&value, at: site.name) : try preconditioner.direction(&value, at: k)
          gradient = value.elements.flatMap { $0 }
        case .span:
          var span = gradient.mutableSpan
          product = try preconditioner.direction(&span, at: site.name)
        case .array: product = try preconditioner.direction(&gradient, at: site.name)
        }
        #expect(gradient == step.directions[k], "\(metric), \(schedule), \(way), step \(number), \(site.name)")
        let expected = zip(gradient, step.gradients[k]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(product - expected) < 1e-5 * expected)
      }
      #expect(preconditioner.takeIncidents().isEmpty)
      bytes.append(preconditioner.bytes)
      change(number, preconditioner, source.optimizer)
    }
    #expect(preconditioner.step == 25 && Set(bytes).count == 1, "what it holds does not grow: \(bytes)")
    #expect(preconditioner.plan == source.optimizer.plan)
  }

  @Test(arguments: metrics.indices, Way.allCases) func everyWayIn(index: Int, way: Way) throws {
    for hasBias in [true, false] {
      let schedule = RefreshSchedule(interval: 5)
      try compare(Double.self, Self.metrics[index], schedule, way, hasBias: hasBias)
      try compare(Float.self, Self.metrics[index], schedule, way, hasBias: hasBias)
    }
  }

  @Test(arguments: [
    RefreshSchedule(interval: 4, drift: 0.01), RefreshSchedule(interval: 6, isSpread: true),
    RefreshSchedule(interval: 8, isSpread: true, drift: 0.3), RefreshSchedule(interval: 7, startsEarly: false),
  ])
  func schedules(schedule: RefreshSchedule) throws {
    for metric in Self.metrics { try compare(Double.self, metric, schedule, .array, hasBias: false) }
  }

  /// After a restart all is due at the next step, and soon again.
  @Test func restart() throws {
    var refreshes = 0
    try compare(Double.self, ExactMetric(), RefreshSchedule(interval: 20), .array, hasBias: true) {
      number, preconditioner, optimizer in
      if preconditioner.hasRefreshed { refreshes += 1 }
      if number == 11 {
        preconditioner.restart()
        optimizer.restart()
      }
    }
    // 1, 2, 4, 8; 12, 13, 15, 19
    #expect(refreshes == 8)
  }

  /// A hidden layer that is seen through the one above, whose weights come in an array.
  @Test func pairs() throws {
    let source = try Source<Double>(ExactMetric(), RefreshSchedule(interval: 4), pair: true)
    let preconditioner = try Preconditioner<Double>(
      sites: source.sites, metric: ExactMetric(), schedule: RefreshSchedule(interval: 4), batchSize: 9)
    for number in 1...12 {
      let step = try source.step()
      for (k, site) in source.sites.enumerated() {
        let x = number % 2 == 0 ? step.inputs[k] : withoutBias(step.inputs[k], order: site.order)
        if k == 1 {
          try preconditioner.observe(
            site.name, inputs: x, preactivations: step.preactivations[k], weightsAbove: step.weights[2],
            preactivationsAbove: step.preactivations[2])
        } else {
          try preconditioner.observe(site.name, inputs: x, preactivations: step.preactivations[k])
        }
      }
      try preconditioner.refreshIfDue()
      for (k, site) in source.sites.enumerated() {
        var gradient = step.gradients[k]
        try preconditioner.direction(&gradient, at: site.name)
        #expect(gradient == step.directions[k], "step \(number), \(site.name)")
      }
    }
  }

  /// A site of which nothing was seen for a while goes on with its matrix, and is refreshed once something is.
  @Test(arguments: [nil, 0.1]) func sitesThatAreNotObserved(drift: Double?) throws {
    let site = { Site(name: $0, neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh())) }
    let preconditioner = try Preconditioner<Double>(
      sites: [site("a"), site("b")], metric: ExactMetric(), schedule: RefreshSchedule(interval: 1, drift: drift),
      batchSize: 4)
    var generator = SplitMix64(seed: 3)
    var last: [Double] = []
    for number in 1...4 {
      for name in ["a", "b"] where name == "a" || number % 3 == 1 {
        try preconditioner.observe(name, inputs: generator.normal(8), preactivations: generator.normal(8))
      }
      try preconditioner.refreshIfDue()
      for name in ["a", "b"] {
        var gradient = [1.0, 2, 3, 4, 5, 6]
        try preconditioner.direction(&gradient, at: name)
        guard name == "b" else { continue }
        #expect((gradient == last) == (number == 2 || number == 3), "step \(number)")
        last = gradient
      }
    }
  }

  /// A refresh that cannot be done leaves the gradient, and says so.
  @Test func incidents() throws {
    let preconditioner = try Preconditioner<Double>(
      sites: [Site(name: "a", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh()))], metric: ExactMetric(),
      batchSize: 4)
    try preconditioner.observe("a", inputs: Array(repeating: .nan, count: 8), preactivations: [1, 2, 3, 4, 5, 6, 7, 8])
    try preconditioner.refreshIfDue()
    var gradient = [1.0, 2, 3, 4, 5, 6]
    #expect(try preconditioner.direction(&gradient, at: "a") == 91)
    #expect(gradient == [1, 2, 3, 4, 5, 6])
    let remedies = preconditioner.takeIncidents().map(\.remedy)
    #expect(remedies.contains(.samplesLeftOut) && remedies.contains(.plainGradient), "\(remedies)")
    #expect(preconditioner.takeIncidents().isEmpty)
  }
}
