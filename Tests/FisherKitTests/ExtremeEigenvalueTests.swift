import FisherKit
import FisherKitTestSupport
import Testing

/// The ends of the spectrum by products alone, against all eigenvalues.
@Suite struct ExtremeEigenvalueTests {
  private func softmax<S: KernelScalar>(_: S.Type, n: Int = 300) throws -> any RFIM<S> {
    let sample = Sample(n: n, d: 40, m: 6, seed: 51)
    return try SoftmaxLayer().rfim(inputs: sample.inputs(S.self), preactivations: sample.preactivations())
  }

  /// A cap that the dense matrix of order 240 does not fit, and 80 iterations do.
  private let cap = 300_000

  @Test func agreesWithTheSpectrum() throws {
    let fisher = try softmax(Double.self)
    let spectrum = try fisher.spectrum()
    let all = try fisher.extremeEigenvalues()
    #expect(all.smallest == spectrum.smallest && all.largest == spectrum.largest && all.error == 0)
    for tolerance in [1e-2, 1e-4, 1e-6] {
      let found = try fisher.extremeEigenvalues(tolerance: tolerance, iterations: 80, memoryCap: cap)
      #expect(found.error > 0 && found.error <= tolerance * found.largest, "tolerance \(tolerance): \(found)")
      let slack = found.error + 1e-12 * spectrum.largest
      #expect(abs(found.largest - spectrum.largest) <= slack, "tolerance \(tolerance): \(found), \(spectrum.largest)")
      #expect(
        abs(found.smallest - spectrum.smallest) <= slack, "tolerance \(tolerance): \(found), \(spectrum.smallest)")
      #expect(found.conditionNumber(damping: 0.1) == (found.largest + 0.1) / (found.smallest + 0.1))
    }
  }

  @Test func agreesInFloat() throws {
    let exact = try softmax(Double.self).spectrum()
    let found = try softmax(Float.self).extremeEigenvalues(tolerance: 1e-3, iterations: 80, memoryCap: cap / 2)
    #expect(found.error > 0 && abs(found.largest - exact.largest) <= 1e-3 * exact.largest)
    #expect(abs(found.smallest - exact.smallest) <= 1e-3 * exact.largest)
  }

  /// Fewer eigenvalues than iterations: the recurrence ends by itself. Every vector is an eigenvector of a zero matrix.
  @Test func smallAndZeroMatrices() throws {
    let sample = Sample(n: 5, d: 3, m: 2, seed: 52)
    let fisher = try SoftmaxLayer().rfim(inputs: sample.inputs(Double.self), preactivations: sample.preactivations())
    let exact = try fisher.spectrum()
    let found = try fisher.extremeEigenvalues(tolerance: 1e-10, memoryCap: 1000)
    #expect(abs(found.largest - exact.largest) <= 1e-10 * exact.largest)
    #expect(abs(found.smallest - exact.smallest) <= 1e-10 * exact.largest)
    let none = try SoftmaxLayer().rfim(
      inputs: Matrix<Double>.make([1, 2, 1], rows: 1, columns: 3), preactivations: .make([4], rows: 1, columns: 1))
    #expect(try none.extremeEigenvalues(memoryCap: 800).largest == 0)
  }

  @Test func refusals() throws {
    let fisher = try softmax(Double.self)
    let hurried = failure(of: { _ = try fisher.extremeEigenvalues(tolerance: 1e-12, iterations: 11, memoryCap: cap) })
    guard case .notConverged("extreme eigenvalues", 11, let residual, 1e-12)? = hurried as? FisherError else {
      Issue.record("found \(String(describing: hurried))")
      return
    }
    #expect(residual > 1e-12)
    let large = failure(of: { _ = try fisher.extremeEigenvalues(iterations: 300, memoryCap: cap) })
    guard case .exceedsMemoryCap(_, let bytes, cap, let instead)? = large as? FisherError else {
      Issue.record("found \(String(describing: large))")
      return
    }
    #expect(bytes > cap && instead.contains("fewer iterations"))
    let tolerance = failure(of: { _ = try fisher.extremeEigenvalues(tolerance: 0) })
    guard case .invalidArgument("tolerance", _, "0.0")? = tolerance as? FisherError else {
      Issue.record("found \(String(describing: tolerance))")
      return
    }
  }
}
