extension NeuronBlocks {
  /// Block by block, a few neurons at a time: by the kernel form (Woodbury) where there are fewer samples than inputs,
  /// else by the Cholesky factors of blocks that are formed for it in double precision. Memory: as many of those as
  /// there are threads, in eights, and X̃ once more where it is `Float`.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    let routes: [SolveRoute]
    switch (origin, route) {
    case (.blocks, _), (_, .dense), (_, .conjugateGradients): routes = [.dense]
    case (_, .lowRank): routes = [.lowRank]
    case (.samples, .automatic) where damping == 0: routes = [.dense]
    case (.samples(let x, _), .automatic): routes = x.samples < order ? [.lowRank, .dense] : [.dense, .lowRank]
    }
    return try solveInDouble(&vectors) { (solution) throws(FisherError) in
      try solve(&solution, by: routes) { (route, solution) throws(FisherError) in
        switch origin {
        case .blocks(let product): try solve(&solution, product, damping: damping)
        case .samples(let x, let nu):
          try solve(&solution, try x.inDouble(), nu, damping: damping, route: route, memoryCap: memoryCap)
        }
      }
    }
  }

  private func solve(
    _ vectors: inout Matrix<Double>, _ product: BlockProduct, damping: Double
  ) throws(FisherError) -> SolveReport {
    var refinement = try Refinement(product, damping: damping, isCoupled: false)
    let factors = try BlockFactors(copying: product.blocks, damping: damping)
    return SolveReport(.dense, try refinement.solve(&vectors, inverse: factors))
  }

  private func solve(
    _ vectors: inout Matrix<Double>, _ x: Observations<Double>, _ nu: Observations<Double>, damping: Double,
    route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    if route == .lowRank { try requirePositive(damping) }
    let lanes = BlockBatch<Double>.lanes
    let factorOrder = route == .dense ? order : x.samples
    let group = BlockBatch<Double>.bytes
    var count = lanes * Compute.threads
    if try group(min(count, neurons), factorOrder) > memoryCap { count = lanes }
    try checkMemory(
      try group(min(count, neurons), factorOrder), memoryCap,
      "factors of \(min(count, neurons)) neurons of order \(factorOrder)", instead: "a larger cap is needed")
    var all = try Matrix<Double>(rows: neurons, columns: order, what: "solution")
    var report = SolveReport(route: route, iterations: 0, residual: 0, errorBound: 0)
    for first in stride(from: 0, to: neurons, by: count) {
      let group = first..<min(first + count, neurons)
      var part = try Matrix<Double>(rows: group.count, columns: order, what: "solution")
      for i in group {
        for a in 0..<order { part[i - first, a] = vectors[i, a] }
      }
      let found = try solve(&part, x, nu, neurons: group, damping: damping, route: route)
      report.iterations = max(report.iterations, found.steps)
      report.residual = max(report.residual ?? 0, found.residual)
      report.errorBound = max(report.errorBound ?? 0, found.errorBound)
      all.place(part, row: first, column: 0)
    }
    vectors.copy(from: all)
    return report
  }

  /// The systems of some of the neurons.
  private func solve(
    _ vectors: inout Matrix<Double>, _ x: Observations<Double>, _ nu: Observations<Double>, neurons group: Range<Int>,
    damping: Double, route: SolveRoute
  ) throws(FisherError) -> (steps: Int, residual: Double, errorBound: Double) {
    var weights = try Matrix<Double>(rows: x.samples, columns: group.count, what: "ν of \(x.samples) samples")
    for s in 0..<x.samples {
      for i in group { weights[s, i - group.lowerBound] = nu.inputs[s, i] }
    }
    do {
      let inverse: any DampedInverse<Double> =
        route == .dense
        ? try BlockFactors(inputs: x.inputs, nu: weights, damping: damping)
        : try KernelFactors(x, nu: try weights.inDouble(what: "ν of \(x.samples) samples"), damping: damping)
      let product = try SampledProduct(x, try IndependentCovariance(nu: weights), neurons: group.count)
      var refinement = try Refinement(product, damping: damping, isCoupled: false)
      return try refinement.solve(&vectors, inverse: inverse)
    } catch .notPositiveDefinite(var failure) {
      failure.neuron = failure.neuron.map { $0 + group.lowerBound }
      failure.blocks = neurons
      throw .notPositiveDefinite(failure)
    }
  }
}

/// Blocks Ĝ_i + λI, factored.
final class BlockFactors: DampedInverse {
  private let factors: BlockBatch<Double>
  private let workspace: BlockWorkspace

  private init(_ blocks: consuming BlockBatch<Double>, damping: Double) throws(FisherError) {
    let workspace = try blocks.makeWorkspace(samples: 1)
    try blocks.factor(damping: damping, parameter: "Fisher matrix", workspace: workspace)
    factors = blocks
    self.workspace = workspace
  }

  convenience init(
    inputs: borrowing Matrix<Double>, nu: borrowing Matrix<Double>, damping: Double
  ) throws(FisherError) {
    try self.init(try BlockBatch(inputs: inputs, nu: nu), damping: damping)
  }

  convenience init(copying blocks: borrowing BlockBatch<Double>, damping: Double) throws(FisherError) {
    var copy = try BlockBatch<Double>(
      count: blocks.count, order: blocks.order, what: "\(blocks.count) blocks of order \(blocks.order)")
    copy.copy(from: blocks)
    try self.init(copy, damping: damping)
  }

  var bytes: Int { factors.bytes + workspace.bytes }

  /// Replaces row i of V by (Ĝ_i + λI)⁻¹ times it.
  func solve(_ vectors: inout Matrix<Double>) { factors.solve(&vectors, workspace: workspace) }
}

/// The same by systems of the order of the samples.
final class KernelFactors: DampedInverse {
  private let observations: Observations<Double>
  private let nu: Matrix<Double>
  private let damping: Double
  private var kernels: KernelBatch<Double>

  init(_ observations: Observations<Double>, nu: consuming Matrix<Double>, damping: Double) throws(FisherError) {
    let x = observations.inputs.rows
    var kernels = try KernelBatch<Double>(
      samples: x, neurons: nu.columns, order: observations.inputs.columns, name: "Fisher matrix")
    try kernels.factor(inputs: observations.inputs, nu: nu, damping: damping, parameter: "Fisher matrix")
    self.observations = observations
    self.nu = nu
    self.damping = damping
    self.kernels = kernels
  }

  var bytes: Int { observations.inputs.bytes + nu.bytes + kernels.bytes }

  func solve(_ vectors: inout Matrix<Double>) {
    kernels.solve(&vectors, inputs: observations.inputs, nu: nu, damping: damping)
  }
}
