/// The subspace of a layer's inputs, the exact matrix inside it, and a number for each neuron outside: see ``ProjectedMetric``.
final class ProjectedInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let choice: ProjectedMetric.Rank
  /// The most that a refresh is given.
  private let samples: Int
  private let subspace: Subspace<Scalar>
  /// U, as it was at the last refresh.
  private var basis: Matrix<Scalar>
  /// X̃Uᵀ of the window, and VUᵀ of a gradient.
  private var projectedInputs: Matrix<Scalar>
  private var projected: Matrix<Scalar>
  private var inside: Matrix<Scalar>
  private var inverse: any WindowInverse<Scalar>
  /// 1/c_i, and those of a refresh under way.
  private var outside: [Double]
  private var nextOutside: [Double]
  /// Whether a refresh in parts is under way, which goes on with the projected inputs and what is outside.
  private var isUnderWay = false

  init(for site: CurvatureSite<Scalar>, rank: ProjectedMetric.Rank, samples: Int) throws(FisherError) {
    self.site = site
    self.samples = samples
    choice = rank
    let r = rank.most
    subspace = try Subspace(order: site.order, rank: r, samples: samples, name: site.name)
    basis = try Matrix(rows: r, columns: site.order, what: "\(site.name): subspace of rank \(r)")
    projectedInputs = try Matrix(rows: samples, columns: r, what: "\(site.name): projected inputs")
    projected = try Matrix(rows: site.neurons, columns: r, what: "\(site.name): projected gradient")
    inside = try Matrix(rows: site.neurons, columns: r, what: "\(site.name): projected gradient")
    inverse = try ExactMetric.inverse(for: site, order: r, samples: samples)
    outside = Array(repeating: 0, count: site.neurons)
    nextOutside = outside
  }

  var bytes: Int {
    subspace.bytes + basis.bytes + projectedInputs.bytes + projected.bytes + inside.bytes + inverse.bytes
      + (outside.count + nextOutside.count) * MemoryLayout<Double>.stride
  }

  func visit(_ visitor: StateVisitor) throws {
    let chosen = try visitor.recorded("rank", rank)
    guard chosen >= 1, chosen <= subspace.rank else {
      throw StateError("rank", expected: "1 to \(subspace.rank)", found: "\(chosen)")
    }
    // (one of another rank is compared with by one that is made for it)
    if chosen != rank, visitor.isRestoring { try take(rank: chosen) }
    let inverse = chosen == rank ? inverse : try ExactMetric.inverse(for: site, order: chosen, samples: samples)
    let isUnderWay = try visitor.recorded("is under way", isUnderWay)
    if visitor.isRestoring { self.isUnderWay = isUnderWay }
    try visitor.child("subspace", subspace)
    try visitor.visit("basis", &basis)
    try visitor.child("inverse", inverse)
    try visitor.visit("outside", &outside)
    visitor.scratch("projected gradient", projected)
    visitor.scratch("gradient inside", inside)
    if isUnderWay {
      try visitor.visit("projected inputs", &projectedInputs)
      try visitor.visit("next outside", &nextOutside)
    } else {
      visitor.scratch("projected inputs", projectedInputs)
      visitor.scratch("next outside", nextOutside)
    }
  }

  /// The same, before anything is allocated, without the window and the inverse.
  static func bytes(for site: CurvatureSite<Scalar>, rank r: Int, samples: Int) -> Int {
    let vectors = site.bytes(site.neurons, r)
    return sum(
      ofBytes: Subspace<Scalar>.bytes(for: site, rank: r, samples: samples), site.bytes(r, site.order),
      site.bytes(samples, r), vectors, vectors, 2 * site.neurons * MemoryLayout<Double>.stride)
  }

  /// The rank in use.
  var rank: Int { projected.columns }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    inverse.weigh(&weights, preactivations: z)
  }

  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) { inverse.addNu(of: weights, to: &sums) }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    try followSubspace(inputs: inputs, weights: weights)
    try inverse.refresh(inputs: projectedInputs, weights: weights)
    finish()
  }

  /// The subspace first, then the parts of the matrix inside it. A rank that is chosen at each refresh changes the matrix
  /// in use, and is one part.
  var refreshParts: Int {
    guard inverse.refreshParts > 1, case .fixed = choice else { return 1 }
    return 1 + inverse.refreshParts
  }

  func refresh(
    part: Int, inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    if part == 0 {
      try followSubspace(inputs: inputs, weights: weights)
      isUnderWay = true
    } else {
      try inverse.refresh(part: part - 1, inputs: projectedInputs, weights: weights)
    }
    if part == refreshParts - 1 { finish() }
  }

  /// The subspace, the inputs in it, and what is left outside.
  private func followSubspace(
    inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    for i in nextOutside.indices { nextOutside[i] = 0 }
    inverse.addNu(of: weights, to: &nextOutside)
    for i in nextOutside.indices { nextOutside[i] /= Double(inputs.rows) }
    subspace.update(inputs: inputs)
    try chooseRank()
    projectedInputs.resize(rows: inputs.rows)
    projectedInputs.setToProduct(
      inputs, .none, subspace.basis, .transposed, inner: site.order, outputColumns: rank)
    let energy = subspace.residualEnergy(rank: rank)
    let meanNu = nextOutside.reduce(0, +) / Double(max(1, nextOutside.count))
    for i in nextOutside.indices {
      // (of a whole space nothing is outside; and where nothing is known, with no damping, nothing is done)
      let lambda = site.lambda(
        trace: nextOutside[i] * subspace.trace, order: site.order,
        layerMean: meanNu * subspace.trace / Double(site.order))
      let c = lambda + nextOutside[i] * energy
      nextOutside[i] = rank < site.order && c > 0 && (1 / c).isFinite ? 1 / c : 0
    }
  }

  /// What a refresh has made takes effect.
  private func finish() {
    basis.copy(from: subspace.basis)
    swap(&outside, &nextOutside)
    isUnderWay = false
  }

  /// Where it changes, what depends on it is made anew.
  private func chooseRank() throws(FisherError) {
    guard case .share(let share, let most) = choice else { return }
    let nu = max(nextOutside.reduce(0, +) / Double(max(1, nextOutside.count)), .leastNormalMagnitude)
    // (a damping that goes by its block, by the blocks of all inputs)
    let floor = site.lambda(trace: nu * subspace.trace, order: site.order) / nu
    let chosen = subspace.rank(keeping: share, against: floor, atMost: most)
    if chosen != rank { try take(rank: chosen) }
  }

  private func take(rank chosen: Int) throws(FisherError) {
    // (the last one goes first: both together would be more than the one of the most rank, which is what was planned)
    inverse = try ExactMetric.inverse(for: site, order: 1, samples: 1)
    let newInputs = try Matrix<Scalar>(rows: samples, columns: chosen, what: "\(site.name): projected inputs")
    let newProjected = try Matrix<Scalar>(
      rows: site.neurons, columns: chosen, what: "\(site.name): projected gradient")
    let newInside = try Matrix<Scalar>(rows: site.neurons, columns: chosen, what: "\(site.name): projected gradient")
    inverse = try ExactMetric.inverse(for: site, order: chosen, samples: samples)
    projectedInputs = newInputs
    projected = newProjected
    inside = newInside
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    if inverse.precondition(&gradient, in: basis, outside: outside, inside: &projected, result: &inside) { return }
    projected.setToProduct(gradient, .none, basis, .transposed, inner: site.order, outputColumns: rank)
    inside.copy(from: projected)
    try inverse.precondition(&inside)
    // What is inside the subspace goes out of the gradient as what it becomes comes in.
    inside.subtract(projected, scaled: outside)
    gradient.scaleRows(by: outside)
    gradient.setToProduct(inside, .none, basis, .none, inner: rank, outputColumns: site.order, beta: 1)
  }
}

extension Subspace {
  /// The smallest rank that keeps a share of Σ e_k/(e_k + floor). What lies beyond the basis counts with its mean, which
  /// is the most that it can be.
  func rank(keeping share: Double, against floor: Double, atMost most: Int) -> Int {
    func kept(_ energy: Double) -> Double { energy > 0 ? energy / (energy + floor) : 0 }
    let all =
      energies.reduce(0) { $0 + kept($1) }
      + Double(basis.columns - rank) * kept(residualEnergy(rank: rank))
    var sum = 0.0
    for (index, energy) in energies.prefix(most).enumerated() {
      sum += kept(energy)
      if sum >= share * all { return index + 1 }
    }
    return most
  }
}
