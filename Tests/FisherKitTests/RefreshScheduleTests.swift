import FisherKit
import FisherKitTestSupport
import Testing

/// Which layers are refreshed at which steps.
@Suite struct RefreshScheduleTests {
  /// Notes what happens to the layers of a model.
  final class Record: @unchecked Sendable {
    var refreshes: [String] = []
    var step = 0
    /// What a refresh turns gradients by: nothing, or on and on.
    var turns = false
    var fails = false
  }

  private struct ProbeMetric: Metric {
    let name = "probe"
    let record: Record

    func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
      ProbeCurvature<S>(site, record)
    }
  }

  /// Directions are gradients, or the one half of their elements after every other refresh, and the other half else.
  private final class ProbeCurvature<Scalar: KernelScalar>: Curvature {
    let site: CurvatureSite<Scalar>
    let record: Record
    let bytes = 0
    var count = 0
    var isReady = false

    init(_ site: CurvatureSite<Scalar>, _ record: Record) { (self.site, self.record) = (site, record) }

    func observe(_ observed: borrowing Observation<Scalar>) {}

    func refresh() throws(FisherError) {
      isReady = false
      if record.fails { throw .outOfMemory(what: site.name, bytes: 1) }
      record.refreshes.append("\(record.step) \(site.number)")
      count += 1
      isReady = true
    }

    func precondition(_ gradient: inout Matrix<Scalar>) {
      #expect(isReady, "preconditioned without a matrix")
      guard record.turns else { return }
      for i in 0..<gradient.rows {
        for j in 0..<gradient.columns where (i + j + count) % 2 == 0 { gradient[i, j] = 0 }
      }
    }
  }

  private func run(_ schedule: RefreshSchedule, steps: Int, _ prepare: (Record) -> Void = { _ in }) throws -> [String] {
    let record = Record()
    prepare(record)
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try RNGD<Double>(metric: ProbeMetric(record: record), learningRate: 1e-6, schedule: schedule)
    try optimizer.prepare(for: model, batchSize: 9)
    for step in 1...steps {
      record.step = step
      _ = model.gradients(labels: labels.span)
      #expect(try optimizer.step(model).isEmpty)
    }
    return record.refreshes
  }

  @Test func together() throws {
    #expect(
      try run(RefreshSchedule(interval: 4, startsEarly: false), steps: 9)
        == [1, 4, 8].flatMap { ["\($0) 0", "\($0) 1", "\($0) 2"] })
    #expect(try run(RefreshSchedule(interval: 1), steps: 3).count == 9)
  }

  /// After 1, 2, 4, … steps until T, and then at its multiples; after a restart as from the start.
  @Test func early() throws {
    for (interval, expected) in [
      (1, [1, 2, 3, 4]), (2, [1, 2, 4, 6]), (3, [1, 2, 3, 6, 9]), (8, [1, 2, 4, 8, 16, 24]),
      (9, [1, 2, 4, 8, 9, 18, 27]), (10, [1, 2, 4, 8, 10, 20, 30]), (100, [1, 2, 4, 8, 16, 32, 64, 100, 200]),
    ] {
      let schedule = RefreshSchedule(interval: interval)
      let found = try run(schedule, steps: expected.last!)
      #expect(found == expected.flatMap { ["\($0) 0", "\($0) 1", "\($0) 2"] }, "T = \(interval)")
      #expect(schedule.earlyRefreshes(interval: interval) == expected.count { $0 < interval } + (interval == 1 ? 1 : 0))
    }
    #expect(RefreshSchedule(startsEarly: false).earlyRefreshes(interval: 100) == 1)
    let record = Record()
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try RNGD<Double>(metric: ProbeMetric(record: record), learningRate: 1e-6, refreshInterval: 10)
    try optimizer.prepare(for: model, batchSize: 9)
    for step in 1...43 {
      record.step = step
      _ = model.gradients(labels: labels.span)
      _ = try optimizer.step(model)
      if step == 13 { optimizer.restart() }
    }
    let steps = record.refreshes.filter { $0.hasSuffix(" 1") }.map { $0.dropLast(2) }
    #expect(steps == ["1", "2", "4", "8", "10", "14", "15", "17", "21", "23", "33", "43"])
  }

  /// Three layers, T = 6: all at the first step, then one at each second step, in the same order.
  @Test func spread() throws {
    #expect(
      try run(RefreshSchedule(interval: 6, isSpread: true, startsEarly: false), steps: 12)
        == ["1 0", "1 1", "1 2", "2 0", "4 1", "6 2", "8 0", "10 1", "12 2"])
  }

  /// Directions that do not drift: the interval grows to four times T. Directions that turn around: it shrinks to a quarter.
  @Test func adaptive() throws {
    func steps(turns: Bool) throws -> [String] {
      try run(RefreshSchedule(interval: 8, drift: 0.1, startsEarly: false), steps: 80) { $0.turns = turns }
        .filter { $0.hasSuffix(" 0") }.map { String($0.dropLast(2)) }
    }
    #expect(try steps(turns: false) == ["1", "8", "16", "32", "64"])
    let turning = try steps(turns: true)
    #expect(turning.suffix(3) == ["76", "78", "80"] && turning.count > 30, "\(turning)")
  }

  /// After a failure the refresh stays due, and an adaptive schedule does not ask the failed matrix for directions.
  @Test(arguments: [nil, 0.1]) func afterAFailure(drift: Double?) throws {
    let record = Record()
    let (model, labels) = try smallNetwork(Double.self)
    let optimizer = try RNGD<Double>(
      metric: ProbeMetric(record: record), learningRate: 1e-6,
      schedule: RefreshSchedule(interval: 3, drift: drift, startsEarly: false))
    try optimizer.prepare(for: model, batchSize: 9)
    for step in 1...5 {
      record.step = step
      record.fails = step == 3 || step == 4
      _ = model.gradients(labels: labels.span)
      let error = failure(of: { _ = try optimizer.step(model) })
      #expect((error == nil) == !record.fails)
    }
    #expect(record.refreshes == ["1 0", "1 1", "1 2", "5 0", "5 1", "5 2"])
  }

  /// Spread or adaptive, two runs end with the same weights.
  @Test(arguments: [RefreshSchedule(interval: 7, isSpread: true), RefreshSchedule(interval: 4, drift: 0.01)])
  func deterministic(schedule: RefreshSchedule) throws {
    func weights() throws -> [[Double]] {
      let data = try SyntheticData.make(training: 400, validation: 50, test: 50, seed: 3)
      let model = try Sequential<Float>.perceptron(
        shape: [data.width, 12, 9, data.classes], activation: Relu(), batchCapacity: 100)
      let optimizer = try RNGD<Float>(metric: ProjectedMetric(rank: .fixed(8)), learningRate: 0.01, schedule: schedule)
      try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 20).run(epochs: 2)
      return model.parameters.map { $0.value.numbers }
    }
    #expect(try weights() == weights())
  }

  @Test func refusals() throws {
    for (what, schedule) in [
      ("refresh", RefreshSchedule(interval: 0)), ("drift", RefreshSchedule(drift: 0)),
      ("drift", RefreshSchedule(drift: 1)),
    ] {
      guard
        case .invalidArgument(what, _, _)? =
          failure(of: { _ = try RNGD<Double>(learningRate: 1, schedule: schedule) }) as? FisherError
      else {
        Issue.record("\(what) of \(schedule) was not refused")
        continue
      }
    }
  }
}
