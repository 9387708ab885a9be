/// A block for every neuron, Ĝ_i = (1/n) Σ ν_i x̃x̃ᵀ (section 2.6), by its Cholesky factor, or where steps are many by its
/// inverse, which a step reads once and a factor twice.
///
/// Memory: m blocks of d(d+1)/2 elements. Cost of a refresh: m n d(d+1) + m d³/3 flops, with the inverse md³ for the last
/// term; of a step: 2md².
final class NeuronBlocksInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let workspace: BlockWorkspace
  private var factors: BlockBatch<Scalar>
  /// What a refresh in parts makes, while the factors are in use; empty where there is none.
  private var next: BlockBatch<Scalar>
  private let isInverse: Bool

  /// - Parameters:
  ///   - order: of the blocks; `samples`: the most that a refresh is given.
  init(for site: CurvatureSite<Scalar>, order: Int, samples: Int) throws(FisherError) {
    self.site = site
    let m = site.neurons
    factors = try BlockBatch(
      count: m, order: order, what: "\(site.name): Cholesky factors of \(m) blocks of order \(order)")
    next = try BlockBatch(
      count: site.isSpread ? m : 0, order: order, what: "\(site.name): next Cholesky factors of \(m) blocks")
    workspace = try factors.makeWorkspace(samples: samples)
    isInverse = site.inverts(order: order)
  }

  var bytes: Int { factors.bytes + next.bytes + workspace.bytes }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    try make(&factors, 0..<site.neurons, inputs: inputs, weights: weights)
  }

  /// A run of blocks from the samples.
  private func make(
    _ made: inout BlockBatch<Scalar>, _ blocks: Range<Int>, inputs: borrowing Matrix<Scalar>,
    weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    made.accumulateGram(
      inputs: inputs, nu: weights, blocks: blocks, alpha: 1 / Double(inputs.rows), beta: 0, workspace: workspace)
    try made.factor(damping: site.damping, parameter: site.name, blocks: blocks, workspace: workspace)
    if isInverse { made.invert(blocks: blocks, workspace: workspace) }
  }

  /// Some groups of neurons in each part.
  private var neuronsPerPart: Int {
    let lanes = BlockBatch<Scalar>.lanes
    return ((site.neurons + lanes - 1) / lanes + 7) / 8 * lanes
  }

  var refreshParts: Int { site.isSpread ? max(1, (site.neurons + neuronsPerPart - 1) / neuronsPerPart) : 1 }

  func refresh(
    part: Int, inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    guard refreshParts > 1 else { return try refresh(inputs: inputs, weights: weights) }
    let blocks = (part * neuronsPerPart)..<min(site.neurons, (part + 1) * neuronsPerPart)
    try make(&next, blocks, inputs: inputs, weights: weights)
    if part == refreshParts - 1 { swap(&factors, &next) }
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    if isInverse {
      factors.multiply(&vectors, workspace: workspace)
    } else {
      factors.solve(&vectors, workspace: workspace)
    }
  }
}

extension CurvatureSite {
  /// Whether the blocks' inverses pay: 2d³/3 more flops a refresh against d²/2 elements less to read at every step, at
  /// some 16 flops in the time it takes to read an element.
  func inverts(order d: Int) -> Bool { d / 12 <= refreshInterval }
}
