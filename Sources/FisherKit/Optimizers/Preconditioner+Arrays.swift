extension Preconditioner {
  /// Takes note of X̃ and z of a site in the mini-batch, a row for each position of each sample.
  /// - Parameters:
  ///   - inputs: (rows, d), the bias column last, or (rows, d − 1) without it.
  ///   - preactivations: z (rows, m).
  /// - Throws: `invalidArgument` that names what does not fit.
  public func observe(
    _ site: String, inputs: borrowing Matrix<Scalar>, preactivations: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    let index = try index(of: site)
    try requireWhole(inputs.rows, preactivations.rows, at: sites[index])
    try observe(
      index, Observation(inputs: inputs, preactivations: preactivations, positions: sites[index].positions))
  }

  /// The same from rows that lie one behind the other; no more is copied than the window takes.
  public func observe(
    _ site: String, inputs: Span<Scalar>, preactivations: Span<Scalar>
  ) throws(FisherError) {
    let index = try index(of: site)
    try withView(inputs, preactivations, at: index) { (x, z) throws(FisherError) in
      try observe(index, Observation(inputs: x, preactivations: z, positions: sites[index].positions))
    }
  }

  public func observe(_ site: String, inputs: [Scalar], preactivations: [Scalar]) throws(FisherError) {
    try observe(site, inputs: inputs.span, preactivations: preactivations.span)
  }

  /// The same of a hidden layer that is seen through the one above it (``TwoLayers``).
  /// - Parameters:
  ///   - weightsAbove: C (D_y, m + 1), the bias last, as they are now; `preactivationsAbove`: (rows, D_y).
  public func observe(
    _ site: String, inputs: Span<Scalar>, preactivations: Span<Scalar>, weightsAbove: Span<Scalar>,
    preactivationsAbove: Span<Scalar>
  ) throws(FisherError) {
    let index = try index(of: site)
    let (m, above) = (sites[index].neurons, sites[index].neuronsAbove ?? 0)
    try withView(inputs, preactivations, at: index) { (x, z) throws(FisherError) in
      guard above > 0, weightsAbove.count == above * (m + 1), preactivationsAbove.count == x.rows * above else {
        throw FisherError.invalidArgument(
          what: "\(site): layer above",
          expected: "weights of \(above) × \(m + 1) and \(x.rows) × \(above) pre-activations",
          found: "\(weightsAbove.count) and \(preactivationsAbove.count) numbers")
      }
      let (weights, outer) = (weightsAbove.base, preactivationsAbove.base)
      try observe(
        index,
        Observation(
          inputs: x, preactivations: z, positions: sites[index].positions,
          weightsAbove: Matrix(viewing: weights, rows: above, columns: m + 1),
          preactivationsAbove: Matrix(viewing: outer, rows: x.rows, columns: above)))
    }
  }

  public func observe(
    _ site: String, inputs: [Scalar], preactivations: [Scalar], weightsAbove: [Scalar], preactivationsAbove: [Scalar]
  ) throws(FisherError) {
    try observe(
      site, inputs: inputs.span, preactivations: preactivations.span, weightsAbove: weightsAbove.span,
      preactivationsAbove: preactivationsAbove.span)
  }

  /// Replaces a site's gradient (m,d) by (Ĝ + λI)⁻¹ times it: see ``direction(_:at:)-(_,Int)``.
  @discardableResult
  public func direction(_ gradient: inout Matrix<Scalar>, at site: String) throws(FisherError) -> Double {
    try direction(&gradient, at: try index(of: site))
  }

  /// The same, row by row in one span or array of md numbers.
  @discardableResult
  public func direction(_ gradient: inout MutableSpan<Scalar>, at site: String) throws(FisherError) -> Double {
    let index = try index(of: site)
    let (m, d) = (sites[index].neurons, sites[index].order)
    guard gradient.count == m * d else {
      throw .invalidArgument(
        what: "\(site): gradient", expected: "\(m) × \(d) = \(m * d) numbers", found: "\(gradient.count)")
    }
    let padded = try states[index].scratch()
    padded.value.assign(gradient.span)
    let product = try direction(&padded.value, at: index)
    gradient.withUnsafeMutableBufferPointer { gradient in padded.value.copyRows(to: gradient) }
    return product
  }

  @discardableResult
  public func direction(_ gradient: inout [Scalar], at site: String) throws(FisherError) -> Double {
    var span = gradient.mutableSpan
    return try direction(&span, at: site)
  }

  private func withView(
    _ inputs: Span<Scalar>, _ preactivations: Span<Scalar>, at index: Int,
    _ body: (borrowing Matrix<Scalar>, borrowing Matrix<Scalar>) throws(FisherError) -> Void
  ) throws(FisherError) {
    let site = sites[index]
    let rows = preactivations.count / site.neurons
    guard rows > 0, preactivations.count == rows * site.neurons else {
      throw .invalidArgument(
        what: "\(site.name): pre-activations", expected: "rows of \(site.neurons) numbers",
        found: "\(preactivations.count) numbers")
    }
    let columns = inputs.count / rows
    guard inputs.count == rows * columns else {
      throw .invalidArgument(
        what: "\(site.name): inputs", expected: "\(rows) rows of \(site.order) or \(site.order - 1) numbers",
        found: "\(inputs.count) numbers")
    }
    try requireWhole(rows, rows, at: site)
    try body(
      Matrix(viewing: inputs.base, rows: rows, columns: columns),
      Matrix(viewing: preactivations.base, rows: rows, columns: site.neurons))
  }

  /// What an ``Observation`` would end the process over.
  private func requireWhole(_ inputs: Int, _ preactivations: Int, at site: Site) throws(FisherError) {
    guard inputs == preactivations else {
      throw .invalidArgument(
        what: "\(site.name): pre-activations", expected: "\(inputs) rows, as the inputs have",
        found: "\(preactivations)")
    }
    guard inputs % site.positions == 0 else {
      throw .invalidArgument(
        what: "\(site.name): inputs", expected: "rows of samples with \(site.positions) positions each",
        found: "\(inputs) rows")
    }
  }
}

extension Matrix {
  /// Writes its rows one behind the other.
  fileprivate func copyRows(to elements: UnsafeMutableBufferPointer<Scalar>) {
    demand(elements.count == rows * columns, "\(elements.count) elements for \(shape)")
    guard let base = elements.baseAddress else { return }
    for i in 0..<rows { (base + i * columns).update(from: storage.base + i * stride, count: columns) }
  }
}

extension Span where Element: BitwiseCopyable {
  /// The first element; for as long as whoever owns it keeps it.
  fileprivate var base: UnsafePointer<Element> {
    withUnsafeBufferPointer { $0.baseAddress ?? AlignedBuffer<Element>.nothing }
  }
}
