extension Sequential {
  /// Declares layer `index` (from 0) and the one above it one subsystem, ``TwoLayers``: the weights of the lower one are
  /// measured by what comes out of the layer above, and no longer by its own outputs (section 2.8). Call it before the
  /// optimizer is prepared.
  ///
  /// The slopes are those of the lower layer's metric: a hard relu is measured by its smooth form.
  /// - Throws: `invalidArgument` where one of them is missing, or is not ``Dense`` with a Fisher matrix of its own.
  public func pairLayers(at index: Int) throws(FisherError) {
    func dense(_ index: Int) throws(FisherError) -> Dense<Scalar> {
      guard layers.indices.contains(index), let layer = layers[index] as? Dense<Scalar>,
        layer.weights.subsystem != nil
      else {
        throw .invalidArgument(
          what: "pair of layers", expected: "two dense layers with Fisher matrices, one above the other",
          found: "none at layer \(index &+ 1)")
      }
      return layer
    }
    let (lower, upper) = (try dense(index), try dense(index + 1))
    guard let outer = upper.weights.subsystem else { return }
    let hidden = (lower.weights.subsystem as? NonlinearLayer)?.activation ?? lower.activation
    lower.weights.see(through: upper.weights, TwoLayers(hidden: hidden, outer: outer))
  }

  /// The layers that were declared one subsystem with the one above, from 0.
  var pairs: [Int] {
    layers.indices.dropLast().filter { index in
      guard let lower = layers[index] as? Dense<Scalar>, let upper = layers[index + 1] as? Dense<Scalar> else {
        return false
      }
      return lower.weights.above === upper.weights
    }
  }
}
