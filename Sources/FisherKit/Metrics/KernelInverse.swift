/// A system of order n for every neuron, of ``KernelMetric``.
///
/// The kernels take one damping for all neurons; a neuron with a λ_i of its own gets its ν in another unit:
/// (Ĝ_i + λ_iI)⁻¹ = (λ/λ_i)(λ/λ_i Ĝ_i + λI)⁻¹.
///
/// A neuron whose system cannot be factored gets 10, 100 or 1000 times its damping, then its diagonal, then the identity.
/// There is no last good one: a solve goes through the samples of the window, which are new.
final class KernelInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private var inputs: Matrix<Scalar>
  private var nu: Matrix<Scalar>
  private var kernels: KernelBatch<Scalar>
  private var squares: [Double]
  /// λ_i, and what a solution is multiplied by.
  private var lambdas: [Double]
  private var units: [Double]
  private var damping = 1.0
  private var info: [Int]
  /// Instead of systems, for neurons that have none; made when there are some.
  private var substitute: DiagonalSubstitute<Scalar>?

  init(for site: CurvatureSite<Scalar>, samples: Int) throws(FisherError) {
    self.site = site
    let (m, d) = (site.neurons, site.order)
    inputs = try Matrix(rows: samples, columns: d, what: "\(site.name): inputs of \(samples) samples")
    nu = try Matrix(rows: samples, columns: m, what: "\(site.name): ν of \(samples) samples")
    kernels = try KernelBatch(samples: samples, neurons: m, order: d, name: site.name)
    squares = Array(repeating: 0, count: samples)
    lambdas = Array(repeating: 0, count: m)
    units = lambdas
    info = Array(repeating: 0, count: m)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("inputs", &inputs)
    try visitor.visit("ν", &nu)
    try visitor.value("kernels", &kernels)
    try visitor.visit("units", &units)
    try visitor.visit("damping", &damping)
    try visitor.ofFailures {
      try visitor.optional("substitute", &substitute) {
        try DiagonalSubstitute(neurons: [], rows: site.neurons, columns: site.order)
      }
    }
    visitor.scratch("damping of neurons", lambdas)
    visitor.scratch("squares", squares)
    visitor.scratch("pivots", info)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    sum(
      ofBytes: site.bytes(samples, site.order), site.bytes(samples, site.neurons),
      KernelBatch<Scalar>.bytes(samples: samples, neurons: site.neurons),
      (samples + 3 * site.neurons) * MemoryLayout<Double>.stride)
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs x: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    inputs.copy(from: x)
    for s in 0..<x.rows { squares[s] = inputs.square(ofRow: s) }
    chooseDampings(weights)
    var isWhole = try factor(weights)
    if isWhole, site.incidents.faults == nil {
      substitute = nil
      return
    }
    for attempt in 1...Ladder.raises + 1 where !isWhole || attempt == 1 {
      let failed = info.indices.filter { info[$0] != 0 || isBroken($0, attempt: attempt - 1) }
      if failed.isEmpty { break }
      guard attempt <= Ladder.raises else { return try give(diagonalsTo: failed, weights) }
      for neuron in failed { lambdas[neuron] = max(lambdas[neuron], Ladder.leastDamping) * 10 }
      isWhole = try factor(weights)
      for neuron in failed where info[neuron] == 0 && !isBroken(neuron, attempt: attempt) {
        site.report(.raisedDamping, neuron: neuron, damping: lambdas[neuron])
      }
      isWhole = isWhole && !failed.contains { isBroken($0, attempt: attempt) }
    }
    substitute = nil
  }

  private func isBroken(_ neuron: Int, attempt: Int) -> Bool {
    site.incidents.faults?.breaks(layer: site.name, neuron: neuron, attempt: attempt) ?? false
  }

  /// λ_i of every neuron by the trace of its matrix.
  private func chooseDampings(_ weights: borrowing Matrix<Scalar>) {
    let n = Double(weights.rows)
    for i in lambdas.indices { lambdas[i] = 0 }
    for s in 0..<weights.rows {
      for i in lambdas.indices { lambdas[i] += Double(weights[s, i]) * squares[s] / n }
    }
    let layerMean = lambdas.reduce(0, +) / Double(max(1, lambdas.count * site.order))
    for i in lambdas.indices {
      lambdas[i] = max(
        site.lambda(trace: lambdas[i], order: site.order, layerMean: layerMean), Ladder.leastDivisor(Scalar.self))
    }
  }

  private func factor(_ weights: borrowing Matrix<Scalar>) throws(FisherError) -> Bool {
    nu.copy(from: weights)
    // (the least of them: nothing is made larger than it was)
    damping = lambdas.min() ?? 1
    for i in units.indices { units[i] = damping / lambdas[i] }
    if units.contains(where: { $0 != 1 }) { nu.scaleColumns(by: units) }
    return try kernels.factor(inputs: inputs, nu: nu, damping: damping, info: &info)
  }

  /// The last rungs of the ladder: 1/(diag Ĝ_i + λ_i), or 1.
  private func give(diagonalsTo neurons: [Int], _ weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let made = try DiagonalSubstitute<Scalar>(neurons: neurons, rows: site.neurons, columns: site.order)
    for neuron in neurons {
      var isGood = !isBroken(neuron, attempt: Ladder.diagonal)
      for a in 0..<site.order {
        var sum = 0.0
        for s in 0..<inputs.rows { sum += Double(weights[s, neuron]) * Double(inputs[s, a]) * Double(inputs[s, a]) }
        let reciprocal = Scalar(1 / (sum / Double(inputs.rows) + lambdas[neuron]))
        isGood = isGood && reciprocal > 0 && reciprocal.isFinite
        made.reciprocals[neuron, a] = reciprocal
      }
      if !isGood { for a in 0..<site.order { made.reciprocals[neuron, a] = 1 } }
      site.report(isGood ? .diagonal : .plainGradient, neuron: neuron)
    }
    substitute = made
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    substitute?.keep(vectors)
    kernels.solve(&vectors, inputs: inputs, nu: nu, damping: damping)
    if units.contains(where: { $0 != 1 }) { vectors.scaleRows(by: units) }
    substitute?.apply(to: &vectors)
  }
}

/// What takes the place of the systems of some neurons.
private final class DiagonalSubstitute<Scalar: KernelScalar>: State {
  private(set) var neurons: [Int]
  var reciprocals: Matrix<Scalar>
  private var gradients: Matrix<Scalar>

  init(neurons: [Int], rows: Int, columns: Int) throws(FisherError) {
    self.neurons = neurons
    reciprocals = try Matrix(rows: rows, columns: columns, what: "diagonals")
    gradients = try Matrix(rows: rows, columns: columns, what: "gradients of some neurons")
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("neurons", &neurons, isOfAnyCount: true, in: 0...max(0, reciprocals.rows - 1))
    try visitor.visit("reciprocals", &reciprocals)
    visitor.scratch("gradients", gradients)
  }

  func keep(_ vectors: borrowing Matrix<Scalar>) { for i in neurons { gradients.copyRow(i, from: vectors) } }

  func apply(to vectors: inout Matrix<Scalar>) {
    for i in neurons {
      for a in 0..<vectors.columns { vectors[i, a] = gradients[i, a] * reciprocals[i, a] }
    }
  }
}

extension Matrix {
  fileprivate func square(ofRow i: Int) -> Double {
    var sum = 0.0
    for j in 0..<columns { sum += Double(self[i, j]) * Double(self[i, j]) }
    return sum
  }

  /// Column j *= scales[j].
  fileprivate mutating func scaleColumns(by scales: [Double]) {
    for i in 0..<rows { for j in 0..<columns { self[i, j] *= Scalar(scales[j]) } }
  }
}
