import FisherKitTestSupport
import Foundation
import Testing

@testable import FisherKit

/// What a preconditioner keeps, and where the time of its refreshes goes.
@Suite struct PreconditionerStateTests {
  private func make(drift: Double? = nil) throws -> Preconditioner<Double> {
    try Preconditioner<Double>(
      sites: [Site(name: "a", neurons: 2, order: 3, subsystem: NonlinearLayer(Tanh()))], metric: ExactMetric(),
      schedule: RefreshSchedule(interval: 1, drift: drift), batchSize: 4)
  }

  private func direction(of preconditioner: Preconditioner<Double>) throws -> [Double] {
    var gradient = [1.0, 2, 3, 4, 5, 6]
    try preconditioner.direction(&gradient, at: "a")
    return gradient
  }

  /// Saved with a mini-batch observed and not refreshed yet, it refreshes by that mini-batch when it goes on.
  @Test(arguments: [nil, 0.1]) func observedAndNotRefreshed(drift: Double?) throws {
    let one = try make(drift: drift)
    var generator = SplitMix64(seed: 4)
    for _ in 1...2 {
      try one.observe("a", inputs: generator.normal(8), preactivations: generator.normal(8))
      try one.refreshIfDue()
      _ = try direction(of: one)
    }
    let before = try direction(of: one)
    try one.observe("a", inputs: generator.normal(8), preactivations: generator.normal(8))
    let other = try make(drift: drift)
    try SavedState(of: one).restore(other)
    var found: [[Double]] = []
    for preconditioner in [one, other] {
      try preconditioner.refreshIfDue()
      found.append(try direction(of: preconditioner))
    }
    #expect(found[0] == found[1] && found[0] != before)
  }

  /// With a schedule that adapts too, a step's refreshes are measured as such, and happen once, however often a direction is
  /// asked for.
  @Test(arguments: [nil, 0.1]) func refreshesAreMeasured(drift: Double?) throws {
    let (model, labels) = try smallNetwork(Double.self)
    let record = SlowMetric.Record()
    let optimizer = try RNGD<Double>(
      metric: SlowMetric(record: record), learningRate: 1e-3, schedule: RefreshSchedule(interval: 5, drift: drift))
    try optimizer.prepare(for: model, batchSize: 9)
    let profile = StepProfile()
    optimizer.profile = profile
    _ = model.gradients(labels: labels.span)
    _ = try optimizer.step(model)
    #expect(record.refreshes == 3)
    // (a sleep is never shorter than it is to be)
    #expect(profile[.refresh].seconds >= 0.06)
    let preconditioner = try #require(optimizer.preconditioner)
    _ = try preconditioner.direction(&model.parameters[0].gradient, at: 0)
    #expect(record.refreshes == 3)
  }
}

/// Plain gradients, after refreshes of 20 ms.
private struct SlowMetric: Metric {
  final class Record: @unchecked Sendable { var refreshes = 0 }

  let name = "slow"
  let record: Record

  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    SlowCurvature<S>(record)
  }
}

private final class SlowCurvature<Scalar: KernelScalar>: Curvature {
  private let record: SlowMetric.Record
  let bytes = 0

  init(_ record: SlowMetric.Record) { self.record = record }

  func observe(_ observed: borrowing Observation<Scalar>) {}
  func precondition(_ gradient: inout Matrix<Scalar>) {}

  func refresh() {
    record.refreshes += 1
    usleep(20_000)
  }
}
