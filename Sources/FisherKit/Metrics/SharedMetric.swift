/// One d×d matrix Ĝ = (1/n) X̃ᵀX̃ for all neurons of a layer, as if every layer were linear (ν ≡ 1), over the window of
/// the samples seen since the last refresh.
///
/// Memory: two d×d matrices and the window. Cost of a refresh with n samples: n d² + d³/3 flops; of a step: 2md².
public struct SharedMetric: Metric {
  public init() {}

  public var name: String { "shared" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try SharedBlockCurvature<S>(for: site, nu: 1)
  }
}

/// One block ν X̃ᵀX̃/n for the whole layer, estimated from the window.
final class SharedBlockCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private let nu: Double
  private var window: SampleWindow<Scalar>
  private var sum: Matrix<Scalar>
  private var factor: Matrix<Scalar>
  private var foldedSamples = 0
  private var isFactored = false

  init(for site: CurvatureSite<Scalar>, nu: Double) throws(FisherError) {
    self.site = site
    self.nu = nu
    let d = site.order
    window = try SampleWindow(
      capacity: SampleWindow<Scalar>.plannedCapacity(for: site, limit: max(1024, d)), order: d, neurons: 0,
      name: site.name)
    sum = try Matrix(rows: d, columns: d, what: "\(site.name): block of order \(d)")
    factor = try Matrix(rows: d, columns: d, what: "\(site.name): Cholesky factor of order \(d)")
  }

  var bytes: Int { window.bytes + sum.bytes + factor.bytes }

  func observe(inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>) {
    if !window.hasRoom(for: inputs.rows) { fold() }
    window.append(inputs: inputs)
  }

  /// Adds the window to the sum, and empties it.
  private func fold() {
    sum.setToGram(window.inputs, alpha: 1, beta: foldedSamples == 0 ? 0 : 1)
    foldedSamples += window.samples
    window.removeAll()
  }

  func refresh() throws(FisherError) -> FactorizationFailure? {
    let samples = foldedSamples + window.samples
    Swift.precondition(samples > 0, "a refresh needs at least one observation")
    isFactored = false
    let scale = nu / Double(samples)
    if foldedSamples > 0 { factor.copy(from: sum) }
    factor.setToGram(window.inputs, alpha: scale, beta: foldedSamples > 0 ? scale : 0)
    foldedSamples = 0
    window.removeAll()
    try factor.factor(damping: site.damping, parameter: site.name)
    isFactored = true
    return nil
  }

  func precondition(_ gradient: inout Matrix<Scalar>) {
    Swift.precondition(isFactored, "\(site.name): the curvature was not refreshed, or its factorisation failed")
    gradient.solve(factor: factor)
  }
}
