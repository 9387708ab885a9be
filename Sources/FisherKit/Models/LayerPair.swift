/// Two layers declared to be one subsystem (section 2.8): the weights of the lower one are measured by what comes out of
/// the layer above, and no longer by its own outputs. Their matrix couples all of its neurons (eqs 11 and 12).
public final class LayerPair<Scalar: KernelScalar> {
  /// The lower layer's f; its derivative makes the slopes f'(z).
  public let hidden: any Activation
  /// The weights C (D_y, m + 1) of the layer above, bias last, which also says how the outputs are distributed.
  public let outer: Parameter<Scalar>

  public init(hidden: any Activation, outer: Parameter<Scalar>) {
    self.hidden = hidden
    self.outer = outer
  }
}

extension Sequential {
  /// Declares layer `index` (from 0) and the one above it one subsystem. Call it before the optimizer is prepared.
  ///
  /// The slopes are those of the lower layer's metric: a hard relu is measured by its smooth form.
  /// - Throws: `invalidArgument` where one of them is missing, or is not ``Dense`` with a Fisher matrix.
  public func pairLayers(at index: Int) throws(FisherError) {
    func dense(_ index: Int) throws(FisherError) -> Dense<Scalar> {
      guard layers.indices.contains(index), let layer = layers[index] as? Dense<Scalar>,
        layer.weights.subsystem != nil
      else {
        throw .invalidArgument(
          what: "pair of layers", expected: "two dense layers with Fisher matrices, one above the other",
          found: "none at layer \(index + 1)")
      }
      return layer
    }
    let (lower, upper) = (try dense(index), try dense(index + 1))
    let activation = (lower.weights.subsystem as? NonlinearLayer)?.activation ?? lower.activation
    lower.weights.pair = LayerPair(hidden: activation, outer: upper.weights)
  }
}
