/// A block for every neuron, Ĝ_i = (1/n) Σ ν_i x̃x̃ᵀ (section 2.6), by ``NeuronFactors``.
///
/// Cost of a refresh: m n d(d+1) + m d³/3 flops, with the inverses md³ for the last term; of a step: 2md².
final class NeuronBlocksInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let factors: NeuronFactors<Scalar>

  /// - Parameters:
  ///   - order: of the blocks; `samples`: the most that a refresh is given.
  init(for site: CurvatureSite<Scalar>, order: Int, samples: Int) throws(FisherError) {
    self.site = site
    factors = try NeuronFactors(for: site, order: order, samples: samples, isInverse: site.inverts(order: order))
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws { try visitor.child("factors", factors) }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    try make(0..<site.neurons, inputs: inputs, weights: weights)
    factors.finish()
  }

  /// A run of blocks from the samples.
  private func make(
    _ blocks: Range<Int>, inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    let alpha = 1 / Double(inputs.rows)
    try factors.refresh(
      blocks,
      form: { made, range, workspace in
        made.accumulateGram(
          inputs: inputs, nu: weights, blocks: range, alpha: alpha, beta: 0, workspace: workspace)
      },
      formOne: { (block, neuron) throws(FisherError) in
        try block.setToGram(inputs: inputs, nu: weights, column: neuron, alpha: alpha)
      })
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
    try make(blocks, inputs: inputs, weights: weights)
    if part == refreshParts - 1 { factors.finish() }
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { factors.precondition(&vectors) }

  func precondition(
    _ gradient: inout Matrix<Scalar>, in basis: borrowing Matrix<Scalar>, outside: [Double],
    inside: inout Matrix<Scalar>, result: inout Matrix<Scalar>
  ) -> Bool {
    factors.precondition(&gradient, in: basis, outside: outside, inside: &inside, result: &result)
  }
}

extension BlockBatch<Double> {
  /// The only block = α Σ_s ν(s, column) x̃_s x̃_sᵀ, of samples of any precision. For a block that fails: it allocates.
  mutating func setToGram<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, nu: borrowing Matrix<S>, column: Int, alpha: Double
  ) throws(FisherError) {
    var inputs = try Matrix<Double>(rows: x.rows, columns: x.columns, what: "inputs in double precision")
    inputs.copy(converting: x)
    var weights = try Matrix<Double>(rows: x.rows, columns: 1, what: "ν in double precision")
    for s in 0..<x.rows { weights[s, 0] = Double(nu[s, column]) }
    let workspace = try makeWorkspace(samples: x.rows)
    accumulateGram(inputs: inputs, nu: weights, alpha: alpha, beta: 0, workspace: workspace)
  }
}

extension CurvatureSite {
  /// Whether the blocks' inverses pay: 2d³/3 more flops a refresh against d²/2 elements less to read at every step, at
  /// some 16 flops in the time it takes to read an element.
  func inverts(order d: Int) -> Bool { d / 12 <= refreshInterval }
}
