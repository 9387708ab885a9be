/// The weights that a model is evaluated with, in place of those that are trained: kept beside it, and exchanged with its own
/// for as long as an evaluation is under way, without a copy.
struct EvaluatedWeights<Scalar: KernelScalar> {
  /// While the model is evaluated, those that are trained.
  private(set) var kept: [KeptMatrix<Scalar>] = []
  private(set) var isInPlace = false

  /// A matrix for each of the model's parameters; an optimizer's first step writes them.
  init(of model: any Model<Scalar>, what: String) throws(FisherError) {
    for parameter in model.parameters { kept.append(try KeptMatrix(like: parameter, what: what)) }
  }

  /// Of no model yet.
  init() {}

  mutating func visit(_ visitor: StateVisitor, as name: String) throws {
    try visitor.visit("is evaluating", &isInPlace)
    try visitor.visit(name, kept)
  }

  /// - Parameter isThere: whether there are some; else the model's own stay, which are the same.
  mutating func begin(_ model: any Model<Scalar>, isThere: Bool) {
    if !isInPlace && isThere { exchange(model) }
    isInPlace = true
  }

  mutating func end(_ model: any Model<Scalar>, isThere: Bool) {
    if isInPlace && isThere { exchange(model) }
    isInPlace = false
  }

  private func exchange(_ model: any Model<Scalar>) {
    let parameters = model.parameters
    for i in parameters.indices { parameters[i].value.exchangeStorage(with: &kept[i].value) }
  }

  /// What a step has to find.
  func demandReady(for parameters: [Parameter<Scalar>]) {
    demand(kept.count == parameters.count, "prepare the optimizer for this model first")
    demand(!isInPlace, "a step while the average is in place: end the evaluation first")
  }
}
