/// A hidden layer h = f(W x̃) and the layer above it, whose outputs y with weights C are observed: the matrix of W when
/// y, not h, is what the subsystem puts out (section 2.8, eqs 11 and 12). Neurons of the hidden layer are coupled
/// through the outputs that they share.
public struct TwoLayers: Subsystem {
  /// f
  public let hidden: any Activation
  /// The layer above: a ``SoftmaxLayer`` with its coupled classes, or any layer of independent outputs with its ν, such
  /// as `NonlinearLayer(Sigm())` or `LinearLayer()`.
  public let outer: any Subsystem

  public init(hidden: any Activation, outer: any Subsystem) {
    self.hidden = hidden
    self.outer = outer
  }

  public var description: String { "\(hidden) layer under a \(outer)" }
  public var form: Form { .twoLayers(self) }
  /// (what comes out is measured as it is, in the units of the layer above)
  public var hasNormalOutputs: Bool { false }

  /// What the hidden neurons have by themselves, with h for their output.
  public func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    NonlinearLayer(hidden).nu(&nu, preactivations: z)
  }

  /// How far h moves.
  public func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence {
    try NonlinearLayer(hidden).divergence(before: z, after: new)
  }

  /// The matrix in a pass, which was handed over with the layer above.
  func rfim<S: KernelScalar>(
    _ observed: borrowing Observation<S>, inputs x: borrowing Matrix<S>
  ) throws(FisherError) -> any RFIM<S> {
    guard observed.preactivationsAbove.rows == observed.rows, observed.rows > 0 else {
      throw .invalidArgument(
        what: "observation of \(self)", expected: "weights and pre-activations of the layer above", found: "none")
    }
    return try SampledBlock<S>(
      inputs: x,
      source: try TwoLayerSource<S>(
        hidden: hidden, outer: outer, preactivations: observed.preactivations, outerWeights: observed.weightsAbove,
        above: try Observations(copying: observed.preactivationsAbove)))
  }

  /// The matrix over samples X̃ (n,d) with hidden pre-activations z = X̃Wᵀ (n,m) and outer weights C (D_y, m+1), bias
  /// last, whose pre-activations are computed here.
  public func rfim<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>, outerWeights c: borrowing Matrix<S>
  ) throws(FisherError) -> SampledBlock<S> {
    let m = z.columns
    demand(c.columns == m + 1, "expected outer weights of \(m + 1) columns, bias last, found \(c.columns)")
    return try SampledBlock(
      inputs: x, source: try TwoLayerSource<S>(hidden: hidden, outer: outer, preactivations: z, outerWeights: c))
  }
}

extension Matrix {
  /// self = f'(z), as 1 · f'.
  mutating func setToSlopes(of activation: any Activation, at z: borrowing Matrix) {
    fill(with: 1)
    activation.backward(&self, of: z)
  }
}
