import FisherKit
import FisherKitTestSupport
import Testing

/// How far each metric's step is from the exact one.
@Suite struct StepAccuracyTests {
  private let d = 24
  private let m = 4
  private let n = 90

  /// Inputs with a few strong directions, and a gradient of theirs.
  private func accuracy(_ metric: any Metric, _ kind: LayerKind) throws -> StepAccuracy {
    var generator = SplitMix64(seed: 81)
    let mixing = generator.normal(d * d)
    let x = (0..<n).flatMap { _ -> [Double] in
      let factors = (0..<d).map { Double(1 << max(0, 4 - $0)) * 0.3 * generator.normal(1)[0] }
      return (0..<d - 1).map { j in (0..<d).reduce(0) { $0 + factors[$1] * mixing[$1 * d + j] / 5 } } + [1]
    }
    let gradient = (0..<m).flatMap { _ -> [Double] in
      let delta = generator.normal(n)
      return (0..<d).map { j in (0..<n).reduce(0) { $0 + delta[$1] * x[$1 * d + j] } / Double(n) }
    }
    return try metric.stepAccuracy(
      of: kind.subsystem, inputs: Matrix<Double>.make(x, rows: n, columns: d),
      preactivations: .make(generator.normal(n * m), rows: n, columns: m),
      gradient: .make(gradient, rows: m, columns: d), damping: 0.05)
  }

  @Test(arguments: LayerKind.allCases) func metrics(kind: LayerKind) throws {
    for metric in [
      ExactMetric(), ProjectedMetric(rank: .fixed(d), windowSamples: n), KernelMetric(windowSamples: n),
      IterativeMetric(tolerance: 1e-10, iterations: 500, windowSamples: n),
    ] as [any Metric] {
      let found = try accuracy(metric, kind)
      #expect(found.angle < 1e-4 && found.relativeError < 1e-6, "\(metric): \(found)")
    }
    let near = try accuracy(ProjectedMetric(rank: .fixed(12), windowSamples: n), kind)
    let far = try accuracy(ProjectedMetric(rank: .fixed(2), windowSamples: n), kind)
    let diagonal = try accuracy(DiagonalMetric(windowSamples: n), kind)
    #expect(near.angle > 0.01 && near.angle < far.angle && far.angle < 90, "\(near), \(far)")
    #expect(near.relativeError < far.relativeError && near.relativeError > 1e-4, "\(near), \(far)")
    #expect(diagonal.angle > near.angle && diagonal.relativeError > near.relativeError, "\(diagonal), \(near)")
  }

  @Test func refusals() throws {
    let refusal = failure(of: {
      _ = try ExactMetric().stepAccuracy(
        of: SoftmaxLayer(), inputs: Matrix<Double>(rows: 1, columns: 2), preactivations: .init(rows: 1, columns: 3),
        gradient: .init(rows: 3, columns: 2), damping: 0)
    })
    guard case .invalidArgument("damping", _, "0.0")? = refusal as? FisherError else {
      Issue.record("found \(String(describing: refusal))")
      return
    }
  }

  /// Steps with whatever it is told to.
  private struct Told: Metric {
    let name = "told"
    let direction: [Double]

    func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) -> any Curvature<S> {
      ToldCurvature<S>(direction: direction)
    }
  }

  private final class ToldCurvature<Scalar: KernelScalar>: Curvature {
    let bytes = 0
    let direction: [Double]
    init(direction: [Double]) { self.direction = direction }
    func observe(_ observed: borrowing Observation<Scalar>) {}
    func refresh() {}
    func precondition(_ gradient: inout Matrix<Scalar>) {
      for j in 0..<direction.count { gradient[0, j] = Scalar(direction[j]) }
    }
  }

  /// Of a matrix that is the identity, with λ = 1, the exact step along (2, 0) is (1, 0): angles in degrees from it, errors
  /// by its length.
  @Test func degreesAndErrors() throws {
    let root = 2.0.squareRoot()
    let inputs = try Matrix<Double>.make([root, 0, 0, root], rows: 2, columns: 2)
    let z = try Matrix<Double>(rows: 2, columns: 1)
    let gradient = try Matrix<Double>.make([2, 0], rows: 1, columns: 2)
    for (direction, angle, error) in [
      ([1.0, 0], 0.0, 0.0), ([2, 0], 0, 1), ([0.5, 0], 0, 0.5), ([0, 1], 90, root), ([1, 1], 45, 1),
      ([0.5, 0.75.squareRoot()], 60, 1), ([-3, 0], 180, 4),
    ] {
      let found = try Told(direction: direction).stepAccuracy(
        of: LinearLayer(), inputs: inputs, preactivations: z, gradient: gradient, damping: 1)
      #expect(abs(found.angle - angle) < 1e-5 && abs(found.relativeError - error) < 1e-7, "\(direction): \(found)")
    }
  }
}
