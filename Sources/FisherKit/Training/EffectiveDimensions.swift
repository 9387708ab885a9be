extension Network {
  /// The effective dimension Σ σ/(σ + λ) of the neurons' blocks (1/n) Σ ν x̃x̃ᵀ over the mini-batch in ``input``, which
  /// passes through as in evaluation: the mean over at most `neurons` neurons of each layer, evenly taken. At most the
  /// number of samples.
  ///
  /// Cost of a neuron: 4/3 n³ flops, by the eigenvalues of the (n,n) matrix √ν_s √ν_t x̃_s·x̃_t/n.
  public func effectiveDimensions(
    damping: Damping, neurons: Int = 8
  ) throws(FisherError) -> [(name: String, order: Int, dimension: Double)] {
    try damping.validate()
    let rule = SiteDamping(damping)
    var found: [(name: String, order: Int, dimension: Double)] = []
    try predict(observing: { (index, observed) throws(FisherError) in
      let parameter = parameters[index]
      guard let subsystem = parameter.subsystem, subsystem.sharesInputs else { return }
      let n = observed.rows
      var nu = try Matrix<Scalar>(rows: n, columns: observed.preactivations.columns, what: "ν of \(n) samples")
      subsystem.nu(&nu, preactivations: observed.preactivations)
      var kernel = try Matrix<Scalar>(rows: n, columns: n, what: "kernel of \(n) samples")
      kernel.setToProduct(
        observed.inputs, .none, observed.inputs, .transposed, inner: parameter.order, outputColumns: n,
        alpha: Double(observed.positions) / Double(n))
      var scaled = try Matrix<Scalar>(rows: n, columns: n, what: "kernel of a neuron")
      let count = min(max(1, neurons), observed.preactivations.columns)
      var sum = 0.0
      for k in 0..<count {
        let neuron = k * observed.preactivations.columns / count
        for s in 0..<n {
          for t in 0...s { scaled[s, t] = kernel[s, t] * (nu[s, neuron] * nu[t, neuron]).squareRoot() }
        }
        let unit = Double(Scalar.ulpOfOne)
        let lambda = rule.lambda(trace: scaled.trace, order: parameter.order, unit: unit)
        sum += Spectrum(try scaled.symmetricEigenvalues(), unit: unit).effectiveDimension(damping: lambda)
      }
      found.append((parameter.name, parameter.order, sum / Double(count)))
    })
    return found
  }

  /// The same over samples of a set, as many of them as pass through at a time.
  public func effectiveDimensions(
    of dataset: Dataset, _ samples: Range<Int>, damping: Damping, neurons: Int = 8
  ) throws(FisherError) -> [(name: String, order: Int, dimension: Double)] {
    let indices = samples.prefix(batchCapacity).map { Int32($0) }
    dataset.gather(&input, indices: indices.span)
    return try effectiveDimensions(damping: damping, neurons: neurons)
  }
}
