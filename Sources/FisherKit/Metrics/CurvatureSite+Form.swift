extension CurvatureSite {
  var isSoftmax: Bool { subsystem.isSoftmax }

  /// The curvature of a form that every metric holds as it is, since nothing of it is large; `nil` of the others.
  func curvatureOfItsForm() -> (any Curvature<Scalar>)? {
    switch subsystem.form {
    case .channels: BatchNormCurvature<Scalar>(for: self)
    case .shared, .neurons, .softmax, .coupled: nil
    }
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
