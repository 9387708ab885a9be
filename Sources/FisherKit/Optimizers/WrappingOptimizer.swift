/// An optimizer around another one, which it hands on whatever it does not do itself.
public protocol WrappingOptimizer<Scalar>: Optimizer {
  var inner: any Optimizer<Scalar> { get }
}

extension WrappingOptimizer {
  public var name: String { inner.name }
  public var learningRate: Double {
    get { inner.learningRate }
    set { inner.learningRate = newValue }
  }
  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
  }
  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] { try inner.step(model) }
  public func observe(_ model: any Model<Scalar>) throws(FisherError) { try inner.observe(model) }
  public func value(of number: OptimizerNumber) -> Double? { inner.value(of: number) }
  public func set(_ number: OptimizerNumber, to value: Double) { inner.set(number, to: value) }
  public func expect(_ run: RunLength) { inner.expect(run) }
  public func beginEvaluation(_ model: any Model<Scalar>) { inner.beginEvaluation(model) }
  public func endEvaluation(_ model: any Model<Scalar>) { inner.endEvaluation(model) }
  public var parts: [any Optimizer<Scalar>] { [inner] }
  public var wantsLossAfterStep: Bool { inner.wantsLossAfterStep }
  public func note(loss: Double, after: Double) { inner.note(loss: loss, after: after) }
  public func restart() { inner.restart() }
  public var plan: [LayerPlan] { inner.plan }
  public var boundSteps: [(name: String, steps: Int)] { inner.boundSteps }
  public func measure(by profile: StepProfile?) -> Bool { inner.measure(by: profile) }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { inner.settings }
  public func visit(_ visitor: StateVisitor) throws { try visitor.child("optimizer", inner) }
}
