extension CurvatureSite {
  /// The columns of X̃: d, or those of all channels' windows.
  var inputColumns: Int {
    if case .windows = subsystem.form { (order - 1) * neurons + 1 } else { order }
  }

  var isSoftmax: Bool { subsystem.isSoftmax }

  /// What makes it one subsystem with the layer above.
  var twoLayers: TwoLayers? { if case .twoLayers(let layers) = subsystem.form { layers } else { nil } }

  /// The curvature of a form that every metric holds as it is, since nothing of it is large; `nil` of the others.
  func curvatureOfItsForm() throws(FisherError) -> (any Curvature<Scalar>)? {
    switch subsystem.form {
    case .channels: return BatchNormCurvature<Scalar>(for: self)
    case .windows: return try DepthwiseInverse<Scalar>.curvature(for: self)
    case .shared, .neurons, .softmax, .coupled, .twoLayers: return nil
    }
  }

  /// For a metric that knows layers by their own outputs only.
  /// - Throws: `unsupportedForm` for one that is seen through the layer above it, and for forms that every metric holds in
  ///   one way: see ``curvatureOfItsForm()``.
  func requireOneLayer(for metric: String) throws(FisherError) {
    if case .twoLayers = subsystem.form { throw noWay(for: metric) }
    try requireSharedInputs(for: metric)
  }

  /// - Throws: `unsupportedForm` where each neuron has inputs of its own.
  func requireSharedInputs(for metric: String) throws(FisherError) {
    if !subsystem.sharesInputs { throw noWay(for: metric) }
  }

  func noWay(for metric: String) -> FisherError {
    .unsupportedForm(
      parameter: name, form: "\(subsystem.form)", metric: metric, instead: "exact, projected and auto have their matrix"
    )
  }
}

extension Subsystem {
  var isSoftmax: Bool { if case .softmax = form { true } else { false } }
}
