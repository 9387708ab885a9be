extension CurvatureSite {
  var isSoftmax: Bool { subsystem.isSoftmax }

  /// What makes it one subsystem with the layer above.
  var twoLayers: TwoLayers? { if case .twoLayers(let layers) = subsystem.form { layers } else { nil } }

  /// The curvature of a form that every metric holds as it is, since nothing of it is large; `nil` of the others.
  func curvatureOfItsForm() -> (any Curvature<Scalar>)? {
    switch subsystem.form {
    case .channels: BatchNormCurvature<Scalar>(for: self)
    case .shared, .neurons, .softmax, .coupled, .twoLayers: nil
    }
  }

  /// For a metric that knows layers by their own outputs only.
  /// - Throws: `unsupportedForm` for one that is seen through the layer above it.
  func requireOneLayer(for metric: String) throws(FisherError) {
    if case .twoLayers = subsystem.form { throw noWay(for: metric) }
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
