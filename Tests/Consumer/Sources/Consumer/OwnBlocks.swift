import FisherKit

/// The exact block of every neuron, Ĝ_i = (1/n) Σ ν_i x̃x̃ᵀ (section 2.6), of the mini-batches since the last refresh:
/// summed, damped, factored and solved by the library's kernels.
struct OwnBlocks: Metric {
  var name: String { "own blocks" }

  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try OwnBlocksCurvature(for: site)
  }
}

final class OwnBlocksCurvature<Scalar: KernelScalar>: Curvature {
  private let site: CurvatureSite<Scalar>
  private var sums: BlockBatch<Scalar>
  private var factors: BlockBatch<Scalar>
  private let workspace: BlockWorkspace
  private var nu: Matrix<Scalar>
  private var samples = 0
  private var traces: [Double]

  init(for site: CurvatureSite<Scalar>) throws(FisherError) {
    self.site = site
    sums = try BlockBatch(count: site.neurons, order: site.order, what: "\(site.name): sums")
    factors = try BlockBatch(count: site.neurons, order: site.order, what: "\(site.name): factors")
    workspace = try factors.makeWorkspace(samples: site.batchRows)
    nu = try Matrix(rows: site.batchRows, columns: site.neurons, what: "\(site.name): ν")
    traces = Array(repeating: 0, count: site.neurons)
  }

  var bytes: Int { sums.bytes + factors.bytes + workspace.bytes + nu.bytes + 8 * traces.count }

  func observe(_ observed: borrowing Observation<Scalar>) throws(FisherError) {
    nu.resize(rows: observed.rows)
    site.subsystem.nu(&nu, preactivations: observed.preactivations)
    sums.accumulateGram(inputs: observed.inputs, nu: nu, alpha: 1, beta: samples == 0 ? 0 : 1, workspace: workspace)
    samples += observed.samples
  }

  func refresh() throws(FisherError) {
    factors.copy(from: sums)
    factors.scale(by: 1 / Double(samples))
    factors.traces(of: 0..<site.neurons, into: &traces)
    factors.addToDiagonals(
      traces.map { site.lambda(trace: $0, order: site.order) }, of: 0..<site.neurons)
    try factors.factor(damping: 0, parameter: site.name, workspace: workspace)
    samples = 0
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    factors.solve(&gradient, workspace: workspace)
  }
}
