import FisherKitTestSupport

@testable import FisherKit

/// Faults of one kind at steps that a seeded generator chooses, and their number.
final class FaultPlan: FaultSource, @unchecked Sendable {
  enum Kind: String, CaseIterable {
    /// Blocks that cannot be factored, down to a chosen rung of the ladder.
    case blocks
    /// An element of a layer's inputs, of a gradient, of ν, of a matrix's directions, of the weights.
    case inputs, gradients, nu, directions, weights
  }

  let kind: Kind
  private(set) var injected = 0
  private let share: Double
  private let active: Range<Int>
  private var step = 0
  private var generator: SplitMix64
  private var depths: [String: Int] = [:]

  /// - Parameters:
  ///   - share: of the steps, or of a block's refreshes, that get a fault; `active`: the steps among which they are.
  init(_ kind: Kind, share: Double, seed: UInt64, active: Range<Int> = 0..<Int.max) {
    (self.kind, self.share, self.active) = (kind, share, active)
    generator = SplitMix64(seed: seed)
  }

  /// What an element is to become, where it is time for a fault of this kind.
  func value(for kind: Kind) -> Double? {
    guard kind == self.kind, active.contains(step), generator.unit() < share else { return nil }
    injected += 1
    let values = [Double.nan, .infinity, -.infinity, 1e30, -1e30, -1]
    return values[pick(values.count)]
  }

  func pick(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }

  /// After a step: the blocks of the next refresh get fates of their own.
  func nextStep() {
    depths = [:]
    step += 1
  }

  /// A block's fate is decided at its first attempt: how many fail.
  func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool {
    guard kind == .blocks else { return false }
    let block = "\(layer), \(neuron ?? -1)"
    if let depth = depths[block] { return attempt < depth }
    let depth = active.contains(step) && generator.unit() < share ? 1 + pick(Ladder.diagonal + 1) : 0
    depths[block] = depth
    if depth > attempt { injected += 1 }
    return attempt < depth
  }
}

/// Passes its inputs on, in training with a fault now and then.
final class FaultyInputs<Scalar: KernelScalar>: Layer {
  let inputExtent: Extent
  let parameters: [Parameter<Scalar>] = []
  let bytes = 0
  private let plan: FaultPlan

  init(_ inputs: Int, _ plan: FaultPlan) {
    (inputExtent, self.plan) = (Extent(channels: inputs), plan)
  }

  var outputExtent: Extent { inputExtent }
  func prepare(batchCapacity: Int) {}

  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    evaluate(input, into: &output)
    if let value = plan.value(for: .inputs) { output[plan.pick(output.rows), plan.pick(inputs)] = Scalar(value) }
  }

  func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    for i in 0..<input.rows { for j in 0..<inputs { output[i, j] = input[i, j] } }
  }

  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}

  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows)
    for i in 0..<delta.rows { for j in 0..<inputs { inputDelta[i, j] = delta[i, j] } }
  }

  func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}

/// A subsystem whose ν has a fault now and then.
struct FaultyNu: Subsystem {
  let inner = NonlinearLayer(Tanh())
  let plan: FaultPlan

  var description: String { "faulty \(inner)" }
  var hasNormalOutputs: Bool { inner.hasNormalOutputs }

  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) {
    inner.nu(&nu, preactivations: z)
    if let value = plan.value(for: .nu) { nu[plan.pick(nu.rows), plan.pick(nu.columns)] = S(value) }
  }

  func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence { try inner.divergence(before: z, after: new) }
}

/// A metric whose directions have a fault now and then: a factor that holds one gives no others.
struct FaultyMetric: Metric {
  let inner: any Metric
  let plan: FaultPlan

  var name: String { "faulty \(inner.name)" }

  func makeCurvatures<S: KernelScalar>(
    for sites: [CurvatureSite<S>]
  ) throws(FisherError) -> [any Curvature<S>] {
    try inner.makeCurvatures(for: sites).map { FaultyCurvature(inner: $0, plan: plan) }
  }

  func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    FaultyCurvature(inner: try inner.makeCurvature(for: site), plan: plan)
  }
}

private final class FaultyCurvature<Scalar: KernelScalar>: Curvature {
  private let inner: any Curvature<Scalar>
  private let plan: FaultPlan

  init(inner: any Curvature<Scalar>, plan: FaultPlan) { (self.inner, self.plan) = (inner, plan) }

  var addsBias: Bool { inner.addsBias }

  func observe(_ observed: borrowing Observation<Scalar>) throws(FisherError) { try inner.observe(observed) }
  func expectRefresh(after steps: Int, isEarly: Bool) { inner.expectRefresh(after: steps, isEarly: isEarly) }
  func refresh() throws(FisherError) { try inner.refresh() }
  var refreshParts: Int { inner.refreshParts }
  func refresh(part: Int) throws(FisherError) { try inner.refresh(part: part) }
  var bytes: Int { inner.bytes }
  var estimate: CurvatureEstimate { inner.estimate }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    try inner.precondition(&gradient)
    guard let value = plan.value(for: .directions) else { return }
    // -1 stands for a direction that climbs, which a matrix that is not positive definite has
    if value == -1 {
      gradient.scaleRows(by: Array(repeating: -1, count: gradient.rows))
    } else {
      gradient[plan.pick(gradient.rows), plan.pick(gradient.columns)] = Scalar(value)
    }
  }
}

/// An optimizer whose gradients, or weights after a step, have a fault now and then.
final class FaultyOptimizer: Optimizer {
  private let inner: RNGD<Float>
  private let plan: FaultPlan

  init(_ inner: RNGD<Float>, _ plan: FaultPlan) {
    (self.inner, self.plan) = (inner, plan)
    inner.faults = plan.kind == .blocks ? plan : nil
  }

  var name: String { inner.name }
  var bytes: Int { inner.bytes }
  var learningRate: Double {
    get { inner.learningRate }
    set { inner.learningRate = newValue }
  }

  func prepare(for model: any Model<Float>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
  }

  func restart() { inner.restart() }

  func step(_ model: any Model<Float>) throws(FisherError) -> [Incident] {
    plan.nextStep()
    let parameter = model.parameters[plan.pick(model.parameters.count)]
    let (i, j) = (plan.pick(parameter.neurons), plan.pick(parameter.order))
    if let value = plan.value(for: .gradients) { parameter.gradient[i, j] = Float(value) }
    let incidents = try inner.step(model)
    if let value = plan.value(for: .weights) { parameter.value[i, j] = Float(value) }
    return incidents
  }
}
