extension TwoLayerInverse {
  /// What a low-rank factor was made of: much less than it is.
  private final class Origin: State {
    var inputs: Matrix<Scalar>
    var slopes: Matrix<Scalar>
    var outerWeights: Matrix<Scalar>
    /// η of a softmax above, or ν.
    var outputs: Matrix<Scalar>
    var damping: Double

    init(for site: CurvatureSite<Scalar>, samples: Int, damping: Double = 0) throws(FisherError) {
      let above = site.site.neuronsAbove ?? 1
      inputs = try Matrix(rows: samples, columns: site.order, what: "\(site.name): inputs of a factor")
      slopes = try Matrix(rows: samples, columns: site.neurons, what: "\(site.name): slopes of a factor")
      outerWeights = try Matrix(rows: above, columns: site.neurons, what: "\(site.name): outer weights of a factor")
      outputs = try Matrix(rows: samples, columns: above, what: "\(site.name): outputs of a factor")
      self.damping = damping
    }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.visit("inputs", &inputs)
      try visitor.visit("slopes", &slopes)
      try visitor.visit("outer weights", &outerWeights)
      try visitor.visit("outputs", &outputs)
      try visitor.visit("damping", &damping)
    }
  }

  func visit(_ visitor: StateVisitor) throws {
    if visitor.isCounting { return visitor.scratch("factor", bytes: bytes) }
    var dense = inverse as? DenseFactor<Scalar>
    var origin = try origin(of: inverse as? LowRankFactor<Scalar>, visitor)
    try visitor.optional("dense", &dense) {
      try DenseFactor(order: site.neurons * site.order, what: "\(site.name): factor")
    }
    try visitor.optional("of few samples", &origin) { try Origin(for: site, samples: samples) }
    guard visitor.isRestoring else { return }
    inverse = try dense ?? origin.map { try factor($0) }
  }

  private func origin(of factor: LowRankFactor<Scalar>?, _ visitor: StateVisitor) throws -> Origin? {
    guard let factor else { return nil }
    guard let covariance = factor.block.covariance as? TwoLayerCovariance<Scalar> else { return nil }
    let made = try Origin(for: site, samples: samples, damping: factor.damping)
    made.inputs.copy(from: factor.block.observations.inputs)
    made.slopes.copy(from: covariance.slopes)
    made.outerWeights.copy(from: covariance.outer)
    switch covariance.outputs {
    case let softmax as SoftmaxCovariance<Scalar>: made.outputs.copy(from: softmax.eta)
    case let independent as IndependentCovariance<Scalar>: made.outputs.copy(from: independent.nu)
    default: try visitor.refuse(covariance.outputs, bytes: 0)
    }
    return made
  }

  private func factor(_ origin: Origin) throws(FisherError) -> any DampedInverse<Scalar> {
    func copy(_ matrix: borrowing Matrix<Scalar>) throws(FisherError) -> Matrix<Scalar> {
      var copy = try Matrix<Scalar>(rows: matrix.rows, columns: matrix.columns, what: "\(site.name): factor")
      copy.copy(from: matrix)
      return copy
    }
    let outputs: any SampleCovariance<Scalar> =
      layers.outer.isSoftmax
      ? try SoftmaxCovariance(eta: try copy(origin.outputs)) : try IndependentCovariance(nu: try copy(origin.outputs))
    let block = try SampledBlock<Scalar>(
      inputs: origin.inputs,
      covariance: TwoLayerCovariance(
        slopes: try copy(origin.slopes), outerWeights: origin.outerWeights, outputs: outputs))
    return try LowRankFactor(block, damping: origin.damping, memoryCap: .max, parameter: site.name)
  }
}
