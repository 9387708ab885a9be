extension Network {
  /// The effective dimension Σ σ/(σ + λ) of the neurons' blocks (1/n) Σ ν x̃x̃ᵀ over the mini-batch in ``input``, which
  /// passes through as in evaluation: the mean over at most `neurons` neurons of each layer, evenly taken, and over at most a
  /// thousand positions. At most their number.
  ///
  /// Cost of a neuron: 4/3 n³ flops, by the eigenvalues of the (n,n) matrix √ν_s √ν_t x̃_s·x̃_t/n, or d³ of the block itself
  /// where there are more samples than inputs.
  public func effectiveDimensions(
    damping: Damping, neurons: Int = 8
  ) throws(FisherError) -> [(name: String, order: Int, dimension: Double)] {
    try damping.validate()
    let rule = SiteDamping(damping)
    var found: [(name: String, order: Int, dimension: Double)] = []
    try predict(observing: { (index, observed) throws(FisherError) in
      let parameter = parameters[index]
      guard let subsystem = parameter.subsystem, subsystem.sharesInputs else { return }
      let places = observed.places(atMost: 1000)
      let n = places.count
      let x = try observed.inputs(at: places, order: parameter.order)
      var nu = try Matrix<Scalar>(rows: n, columns: observed.preactivations.columns, what: "ν of \(n) samples")
      subsystem.nu(&nu, preactivations: try observed.preactivations(at: places))
      // (the smaller of the two has all that is not 0, and less of rounding)
      let d = parameter.order
      let isKernel = n <= d
      var kernel = try Matrix<Scalar>(rows: isKernel ? n : 0, columns: n, what: "kernel of \(n) samples")
      let alpha = Double(observed.positions) / Double(n)
      if isKernel {
        kernel.setToProduct(x, .none, x, .transposed, inner: d, outputColumns: n, alpha: alpha)
      }
      let size = min(n, d)
      var weighted = try Matrix<Scalar>(rows: isKernel ? 0 : n, columns: d, what: "weighted samples")
      var scaled = try Matrix<Scalar>(rows: size, columns: size, what: "matrix of a neuron")
      let count = min(max(1, neurons), observed.preactivations.columns)
      var sum = 0.0
      for k in 0..<count {
        let neuron = k * observed.preactivations.columns / count
        if isKernel {
          for s in 0..<n {
            for t in 0...s { scaled[s, t] = kernel[s, t] * (nu[s, neuron] * nu[t, neuron]).squareRoot() }
          }
        } else {
          weighted.copy(from: x)
          weighted.scaleRows(by: (0..<n).map { Double(nu[$0, neuron]).squareRoot() })
          scaled.setToGram(weighted, alpha: alpha)
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
