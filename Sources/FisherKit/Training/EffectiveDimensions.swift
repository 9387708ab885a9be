extension Sequential {
  /// The effective dimension Σ σ/(σ + λ) of the neurons' blocks (1/n) Σ ν x̃x̃ᵀ over the mini-batch in ``input``, which a
  /// forward pass has been through: the mean over at most `neurons` neurons of each layer, evenly taken. At most the
  /// number of samples.
  ///
  /// Cost of a neuron: 4/3 n³ flops, by the eigenvalues of the (n,n) matrix √ν_s √ν_t x̃_s·x̃_t/n.
  public func effectiveDimensions(
    damping: Damping, neurons: Int = 8
  ) throws(FisherError) -> [(name: String, order: Int, dimension: Double)] {
    try damping.validate()
    let rule = SiteDamping(damping)
    var found: [(name: String, order: Int, dimension: Double)] = []
    try observe { (index, x, z) throws(FisherError) in
      let parameter = parameters[index]
      guard let subsystem = parameter.subsystem, subsystem.sharesInputs else { return }
      let n = x.rows
      var nu = try Matrix<Scalar>(rows: n, columns: z.columns, what: "ν of \(n) samples")
      subsystem.nu(&nu, preactivations: z)
      var kernel = try Matrix<Scalar>(rows: n, columns: n, what: "kernel of \(n) samples")
      kernel.setToProduct(x, .none, x, .transposed, inner: x.columns, outputColumns: n, alpha: 1 / Double(n))
      var scaled = try Matrix<Scalar>(rows: n, columns: n, what: "kernel of a neuron")
      let count = min(max(1, neurons), z.columns)
      var sum = 0.0
      for k in 0..<count {
        let neuron = k * z.columns / count
        for s in 0..<n {
          for t in 0...s { scaled[s, t] = kernel[s, t] * (nu[s, neuron] * nu[t, neuron]).squareRoot() }
        }
        let unit = Double(Scalar.ulpOfOne)
        let lambda = rule.lambda(trace: scaled.trace, order: parameter.order, unit: unit)
        sum += Spectrum(try scaled.symmetricEigenvalues(), unit: unit).effectiveDimension(damping: lambda)
      }
      found.append((parameter.name, parameter.order, sum / Double(count)))
    }
    return found
  }
}
