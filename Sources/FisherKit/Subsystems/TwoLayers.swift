/// A hidden layer h = f(W x̃) and the layer above it, whose outputs y with weights C are observed: the matrix of W when
/// y, not h, is what the subsystem puts out (section 2.8, eqs 11 and 12). Neurons of the hidden layer are coupled
/// through the outputs that they share.
public struct TwoLayers: Sendable, CustomStringConvertible {
  /// What the layer above is.
  public enum Outer: Sendable {
    /// Independent outputs: Bernoulli for tanh and sigm, Gaussian for the others.
    case neurons(any Activation)
    /// Classes with probabilities softmax(z).
    case softmax
  }

  /// f
  public let hidden: any Activation
  public let outer: Outer

  public init(hidden: any Activation, outer: Outer) {
    self.hidden = hidden
    self.outer = outer
  }

  public var description: String {
    switch outer {
    case .neurons(let activation): "\(hidden) layer under \(activation) outputs"
    case .softmax: "\(hidden) layer under a softmax"
    }
  }

  /// The matrix over samples X̃ (n,d) with hidden pre-activations z = X̃Wᵀ (n,m) and outer weights C (D_y, m+1), bias
  /// last, whose pre-activations are computed here.
  public func rfim<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>, outerWeights c: borrowing Matrix<S>
  ) throws(FisherError) -> SampledBlock<S> {
    let (n, m) = (z.rows, z.columns)
    precondition(c.columns == m + 1, "expected outer weights of \(m + 1) columns, bias last, found \(c.columns)")
    var h = try Matrix<S>(rows: n, columns: m + 1, what: "outputs of the hidden layer")
    h.fill(column: m, with: 1)
    hidden.values(&h, of: z)
    var above = try Matrix<S>(rows: n, columns: c.rows, what: "outer pre-activations")
    above.setToProduct(h, .none, c, .transposed, inner: m + 1, outputColumns: c.rows)
    // f' = 1 · f'
    var slopes = try Matrix<S>(rows: n, columns: m, what: "slopes of the hidden layer")
    for j in 0..<m { slopes.fill(column: j, with: 1) }
    hidden.backward(&slopes, of: z)
    return try SampledBlock(
      inputs: x,
      covariance: try TwoLayerCovariance(slopes: slopes, outerWeights: c, outputs: try outputs(above)))
  }

  private func outputs<S: KernelScalar>(
    _ preactivations: borrowing Matrix<S>
  ) throws(FisherError) -> any SampleCovariance<S> {
    switch outer {
    case .softmax: return try SoftmaxCovariance(preactivations: preactivations)
    case .neurons(let activation):
      var nu = try Matrix<S>(
        rows: preactivations.rows, columns: preactivations.columns, what: "ν of the outputs")
      activation.nu(&nu, of: preactivations)
      return IndependentCovariance(nu: nu)
    }
  }
}
