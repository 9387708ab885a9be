extension Subsystem {
  /// Its relative Fisher matrix in a pass as one Kronecker product, A ⊗ S: see ``KroneckerBlock``.
  /// - Throws: `unsupportedForm` where each neuron has inputs of its own; `invalidArgument` for two layers without the one
  ///   above; `sizeOverflow` or `outOfMemory`.
  public func kroneckerRFIM<S: KernelScalar>(_ observed: borrowing Observation<S>) throws(FisherError)
    -> KroneckerBlock<S>
  {
    guard sharesInputs else {
      throw .unsupportedForm(
        parameter: "\(self)", form: "\(form)", metric: "kronecker", instead: "its matrix itself is small")
    }
    let covariance = try meanSource(observed)
    return try observed.withInputs { (inputs) throws(FisherError) in
      try KroneckerBlock<S>(covariance, inputs: inputs, samples: observed.samples)
    }
  }

  private func meanSource<S: KernelScalar>(
    _ observed: borrowing Observation<S>
  ) throws(FisherError) -> any SampleCovariance<Double> {
    guard case .twoLayers(let layers) = form else {
      return try outputCovariance(preactivations: try observed.preactivations.inDouble(what: "pre-activations"))
    }
    guard observed.preactivationsAbove.rows == observed.rows, observed.rows > 0 else {
      throw .invalidArgument(
        what: "observation of \(self)", expected: "weights and pre-activations of the layer above", found: "none")
    }
    return try TwoLayerSource<S>(
      hidden: layers.hidden, outer: layers.outer, preactivations: observed.preactivations,
      outerWeights: observed.weightsAbove, above: try Observations(copying: observed.preactivationsAbove)
    ).covariance(Double.self)
  }
}

extension TwoLayers {
  /// The same with outer weights C (D_y, m+1), bias last, whose pre-activations are computed here.
  public func kroneckerRFIM<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>, outerWeights c: borrowing Matrix<S>
  ) throws(FisherError) -> KroneckerBlock<S> {
    let source = try TwoLayerSource<S>(hidden: hidden, outer: outer, preactivations: z, outerWeights: c)
    return try KroneckerBlock<S>(try source.covariance(Double.self), inputs: x, samples: x.rows)
  }
}

extension KroneckerBlock {
  /// Of the A_s and X̃ (rows, d) of so many samples.
  fileprivate convenience init(
    _ covariance: any SampleCovariance<Double>, inputs: borrowing Matrix<Scalar>, samples: Int
  ) throws(FisherError) {
    var a = try Matrix<Double>(rows: covariance.neurons, columns: covariance.neurons, what: "outputs' factor")
    try covariance.mean(into: &a)
    let x = try inputs.inDouble(what: "inputs")
    var s = try Matrix<Double>(rows: x.columns, columns: x.columns, what: "inputs' factor")
    s.setToGram(x, alpha: 1 / Double(samples))
    s.symmetrize()
    try self.init(outputs: a, inputs: s)
  }
}

extension SampleCovariance {
  /// (1/n) Σ_s A_s (m,m). Cost m products with all A_s.
  func mean(into matrix: inout Matrix<Scalar>) throws(FisherError) {
    var weights = try Matrix<Scalar>(rows: samples, columns: neurons, what: "column of \(samples) covariances")
    var sums = [Double](repeating: 0, count: neurons)
    for j in 0..<neurons {
      column(j, into: &weights)
      for i in sums.indices { sums[i] = 0 }
      weights.addColumns(to: &sums)
      for i in sums.indices { matrix[i, j] = Scalar(sums[i] / Double(max(1, samples))) }
    }
    matrix.symmetrize()
  }
}
