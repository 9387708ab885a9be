/// A hidden layer h = f(W x̃) and the layer above it, whose outputs y with weights C are observed: the matrix of W when
/// y, not h, is what the subsystem puts out (section 2.8, eqs 11 and 12). Neurons of the hidden layer are coupled
/// through the outputs that they share.
public struct TwoLayers: Sendable, CustomStringConvertible {
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
