import Testing

@testable import FisherKit

/// How many samples a window takes until a refresh: all that it has room for, but of an early one 250, or a quarter where that
/// is more.
@Suite struct EarlyWindowTests {
  private func samples(capacity: Int, after steps: Int, isEarly: Bool) throws -> Int {
    let site = CurvatureSite<Float>(
      Site(name: "layer", neurons: 1, order: 2, subsystem: NonlinearLayer(Tanh())), batchSize: capacity,
      refreshInterval: 1, damping: 0.1)
    var window = try SampleWindow(for: site, limit: capacity)
    window.expectRefresh(after: steps, isEarly: isEarly)
    let inputs = try Matrix<Float>(rows: capacity, columns: 2)
    let z = try Matrix<Float>(rows: capacity, columns: 1)
    for _ in 0..<steps { window.take(Observation(inputs: inputs, preactivations: z)) }
    return window.inputs.rows
  }

  @Test(arguments: [
    (800, 1, true, 250), (1000, 8, true, 250), (1200, 1, true, 300), (4000, 4, true, 1000), (200, 1, true, 200),
    (800, 64, true, 250), (800, 65, true, 800), (800, 1, false, 800), (4000, 50, false, 4000),
  ])
  func untilARefresh(capacity: Int, steps: Int, isEarly: Bool, expected: Int) throws {
    #expect(try samples(capacity: capacity, after: steps, isEarly: isEarly) == expected)
  }
}
