/// The damped blocks of a layer's neurons by their Cholesky factors, or where steps are many by their inverses, which a
/// step reads once and a factor twice; and the way on for a block that has none.
///
/// Such a block goes down a ladder until it can be solved with, and what became of it is reported: 10, 100 and 1000 times
/// its damping; double precision; the block of the refresh before, where layers are small enough to keep it; its diagonal;
/// the identity, which makes its step a plain gradient.
///
/// Memory: m blocks of d(d+1)/2 elements, twice where that is no more than ``keptLimit``. Cost of a refresh beside what
/// forms the blocks: m d³/3 flops, with the inverses md³; of a step: 2md².
final class NeuronFactors<Scalar: KernelScalar>: State {
  /// Forms some blocks, undamped, in whole groups of lanes.
  typealias Form = (
    _ blocks: inout BlockBatch<Scalar>, _ range: Range<Int>, _ workspace: borrowing BlockWorkspace
  ) -> Void
  /// Forms one block in double precision, as the only one of its batch.
  typealias FormOne = (_ block: inout BlockBatch<Double>, _ neuron: Int) throws(FisherError) -> Void

  private let site: CurvatureSite<Scalar>
  private let order: Int
  private let isInverse: Bool
  private let workspace: BlockWorkspace
  /// What steps are taken with.
  private var current: BlockBatch<Scalar>
  /// What a refresh makes, where the current blocks are kept until it is done; else empty.
  private var next: BlockBatch<Scalar>
  private let isKept: Bool
  private var lambdas: [Double]
  private var info: [Int]
  /// Whether `current` was ever made.
  private var isReady = false
  /// Whether some blocks were made, of a refresh in parts that is not finished.
  private var isUnderWay = false
  /// Neurons whose block of the refresh before goes on, until the refresh is finished.
  private var kept: [Int] = []

  /// The most bytes that are kept twice where it is not asked for.
  static var keptLimit: Int { 32 << 20 }

  /// - Parameters:
  ///   - order: of the blocks; `samples`: the most that the work space has to allow for.
  init(for site: CurvatureSite<Scalar>, order: Int, samples: Int, isInverse: Bool) throws(FisherError) {
    (self.site, self.order, self.isInverse) = (site, order, isInverse)
    let m = site.neurons
    current = try BlockBatch(
      count: m, order: order, what: "\(site.name): Cholesky factors of \(m) blocks of order \(order)")
    isKept = site.isSpread || current.bytes <= Self.keptLimit
    next = try BlockBatch(
      count: isKept ? m : 0, order: order, what: "\(site.name): next Cholesky factors of \(m) blocks")
    workspace = try current.makeWorkspace(samples: samples)
    lambdas = Array(repeating: 0, count: m)
    info = Array(repeating: 0, count: m)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.fixed("held as", isInverse ? "inverses" : "factors")
    try visitor.visit("current", &current)
    try visitor.visit("is ready", &isReady)
    let isUnderWay = try visitor.recorded("is under way", isUnderWay)
    if isUnderWay { try visitor.visit("next", &next) } else { visitor.scratch("next", next) }
    if visitor.isRestoring { self.isUnderWay = isUnderWay }
    try visitor.ofFailures {
      try visitor.visit("kept", &kept, isOfAnyCount: true, in: 0...max(0, site.neurons - 1))
    }
    visitor.scratch("damping", lambdas)
    visitor.scratch("pivots", info)
    visitor.scratch("work", bytes: workspace.bytes)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, order: Int, samples: Int) -> Int {
    let held = site.blockBytes(order: order)
    let work = BlockWorkspace.bytes(Scalar.self, count: site.neurons, order: order, samples: samples)
    return sum(
      ofBytes: held, site.isSpread || held <= keptLimit ? held : 0, work,
      2 * site.neurons * MemoryLayout<Double>.stride)
  }

  /// Makes all blocks anew.
  func refresh(form: Form, formOne: FormOne) throws(FisherError) {
    try refresh(0..<site.neurons, form: form, formOne: formOne)
    finish()
  }

  /// Makes some blocks anew, whole groups of lanes, without any effect until ``finish()``: only for a spread refresh.
  func refresh(_ blocks: Range<Int>, form: Form, formOne: FormOne) throws(FisherError) {
    isUnderWay = isKept
    if isKept {
      try make(&next, blocks, form: form, formOne: formOne)
    } else {
      // (whatever fails from here on, the blocks are no longer those of the refresh before)
      isReady = false
      try make(&current, blocks, form: form, formOne: formOne)
    }
  }

  /// What was made takes effect.
  func finish() {
    if isKept {
      for neuron in kept { next.copyBlock(neuron, from: current, neuron) }
      swap(&current, &next)
    }
    kept.removeAll(keepingCapacity: true)
    (isReady, isUnderWay) = (true, false)
  }

  private func make(
    _ made: inout BlockBatch<Scalar>, _ blocks: Range<Int>, form: Form, formOne: FormOne
  ) throws(FisherError) {
    form(&made, blocks, workspace)
    made.traces(of: blocks, into: &lambdas)
    var total = 0.0
    for i in blocks where lambdas[i] > 0 && lambdas[i].isFinite { total += lambdas[i] }
    // (a projected block has nearly all of the trace of the whole, by which it is to be damped)
    let layerMean = total / Double(max(1, blocks.count * site.order))
    for i in blocks { lambdas[i] = site.lambda(trace: lambdas[i], order: site.order, layerMean: layerMean) }
    made.addToDiagonals(lambdas, of: blocks)
    let isWhole = made.factor(blocks: blocks, info: &info, workspace: workspace)
    if !isWhole || site.incidents.faults != nil {
      try mend(&made, blocks, form: form, formOne: formOne)
    }
    if isInverse { made.invert(blocks: blocks, workspace: workspace) }
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    if isInverse {
      current.multiply(&vectors, workspace: workspace)
    } else {
      current.solve(&vectors, workspace: workspace)
    }
  }

  /// The same in a subspace, with a number for each neuron outside of it.
  /// - Returns: `false`, and nothing was done, where there are factors and not inverses.
  func precondition(
    _ gradient: inout Matrix<Scalar>, in basis: borrowing Matrix<Scalar>, outside: [Double],
    inside: inout Matrix<Scalar>, result: inout Matrix<Scalar>
  ) -> Bool {
    guard isInverse else { return false }
    current.multiply(
      &gradient, in: basis, outside: outside, inside: &inside, result: &result, workspace: workspace)
    return true
  }

  // MARK: The ladder

  private func isBroken(_ neuron: Int, attempt: Int) -> Bool {
    site.incidents.faults?.breaks(layer: site.name, neuron: neuron, attempt: attempt) ?? false
  }

  /// Gives every block that failed something to be solved with.
  private func mend(
    _ made: inout BlockBatch<Scalar>, _ blocks: Range<Int>, form: Form, formOne: FormOne
  ) throws(FisherError) {
    var failed = blocks.filter { info[$0] != 0 || isBroken($0, attempt: 0) }
    let lanes = BlockBatch<Scalar>.lanes
    for attempt in 1...Ladder.raises where !failed.isEmpty {
      for neuron in failed { lambdas[neuron] = max(lambdas[neuron], Ladder.leastDamping) * 10 }
      var left: [Int] = []
      var first = -1
      for neuron in failed where neuron / lanes * lanes != first {
        first = neuron / lanes * lanes
        let group = first..<min(first + lanes, blocks.upperBound)
        form(&made, group, workspace)
        made.addToDiagonals(lambdas, of: group)
        _ = made.factor(blocks: group, info: &info, workspace: workspace)
        for member in failed where group.contains(member) {
          if info[member] != 0 || isBroken(member, attempt: attempt) {
            left.append(member)
          } else {
            site.report(.raisedDamping, neuron: member, damping: lambdas[member])
          }
        }
      }
      failed = left
    }
    for neuron in failed { try mendAlone(&made, neuron, formOne: formOne) }
  }

  private func mendAlone(_ made: inout BlockBatch<Scalar>, _ neuron: Int, formOne: FormOne) throws(FisherError) {
    var block = try BlockBatch<Double>(count: 1, order: order, what: "\(site.name), neuron \(neuron): block in double")
    try formOne(&block, neuron)
    let diagonal = (0..<order).map { block[0, $0, $0] }
    var trace = [0.0]
    block.traces(of: 0..<1, into: &trace)
    // (in double precision what was asked for is enough)
    let lambda = max(
      site.dampingState.lambda(trace: trace[0], order: site.order, unit: Double.ulpOfOne), .leastNormalMagnitude)
    let space = try block.makeWorkspace(samples: 1)
    block.addToDiagonals([lambda], of: 0..<1)
    var pivot = [0]
    if !isBroken(neuron, attempt: Ladder.double), block.factor(blocks: 0..<1, info: &pivot, workspace: space) {
      made.copyBlock(neuron, from: block, 0)
      if Scalar(block[0, 0, 0]).isFinite { return site.report(.doublePrecision, neuron: neuron, damping: lambda) }
    }
    if isKept, isReady, !isBroken(neuron, attempt: Ladder.lastGood) {
      made.setDiagonal(neuron, Array(repeating: 1, count: order))
      kept.append(neuron)
      return site.report(.lastGoodBlock, neuron: neuron)
    }
    let reciprocals = diagonal.map { 1 / ($0 + lambda).squareRoot() }
    if !isBroken(neuron, attempt: Ladder.diagonal), reciprocals.allSatisfy({ $0 > 0 && Scalar($0).isFinite }) {
      made.setDiagonal(neuron, reciprocals)
      return site.report(.diagonal, neuron: neuron)
    }
    made.setDiagonal(neuron, Array(repeating: 1, count: order))
    site.report(.plainGradient, neuron: neuron)
  }
}

/// The attempts at a block that cannot be factored, in their order.
enum Ladder {
  /// Times that the damping is raised, ten times each.
  static var raises: Int { 3 }
  static var double: Int { raises + 1 }
  static var lastGood: Int { raises + 2 }
  static var diagonal: Int { raises + 3 }
  /// What a damping of nothing is raised from.
  static var leastDamping: Double { 1e-10 }
  /// The least damping that is divided by, where blocks are all zeros: one whose reciprocal can be
  /// squared.
  static func leastDivisor<S: KernelScalar>(_: S.Type) -> Double { Double(S.leastNormalMagnitude).squareRoot() }
}
