/// An optimizer that takes a step after every so many mini-batches, from the mean of their gradients: a larger mini-batch
/// than there is memory for. Every mini-batch counts alike, whatever its samples.
///
/// A step that the end of training cuts off is not taken.
public final class AccumulatedGradients<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// Mini-batches in a step.
  public let count: Int
  private var sums: [KeptMatrix<Scalar>] = []
  /// Mini-batches in `sums`.
  private var gathered = 0
  private var batches = 0

  /// - Parameter count: from 1 up.
  public init(_ inner: any Optimizer<Scalar>, over count: Int) throws(FisherError) {
    try require(
      count >= 1 && count <= 1 << 20, "accumulation", expected: "1 to \(1 << 20) mini-batches in a step", found: count)
    (self.inner, self.count) = (inner, count)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: MiniBatches(of: batches.samples, perStep: batches.perStep * count))
    (sums, gathered, self.batches) = ([], 0, 0)
    for parameter in model.parameters { sums.append(try KeptMatrix(like: parameter, what: "sum of gradients")) }
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    demand(sums.count == parameters.count, "prepare the optimizer for this model first")
    try model.requireFiniteGradients(step: batches + 1)
    batches += 1
    let isLast = gathered + 1 == count
    for i in parameters.indices {
      if !isLast {
        if gathered == 0 {
          sums[i].value.copy(from: parameters[i].gradient)
        } else {
          sums[i].value.add(parameters[i].gradient)
        }
      } else if gathered > 0 {
        parameters[i].gradient.combine(1 / Double(count), 1 / Double(count), sums[i].value)
      }
    }
    if !isLast {
      try inner.observe(model)
      gathered += 1
      return []
    }
    gathered = 0
    return try inner.step(model)
  }

  public func expect(_ run: RunLength) {
    let steps = run.steps.map { $0 / count }
    inner.expect(
      RunLength(stepsPerEpoch: run.stepsPerEpoch.map { $0 / Double(count) }, epochs: run.epochs, steps: steps))
  }

  public func restart() {
    gathered = 0
    inner.restart()
  }

  /// Of a step, which a mini-batch before its last has none of.
  public var wantsLossAfterStep: Bool { gathered == 0 && inner.wantsLossAfterStep }

  public var settings: [String: String] {
    inner.settings.merging(["mini-batches in a step": "\(count)"]) { $1 }
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("gathered", &gathered, in: 0...(count - 1))
    try visitor.visit("mini-batches", &batches, in: 0...(.max))
    try visitor.visit("sum of gradients", sums)
    try visitor.child("optimizer", inner)
  }
}
