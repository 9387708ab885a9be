/// How well the relative Fisher matrices of a model foresee what a step does, layer by layer with its inputs held:
/// ½ δᵀ G δ on the step's own mini-batch beside the Kullback-Leibler divergence that δ made.
///
/// Keep the weights before a step, and compare after it, before the next forward pass. Both may be done in the events of
/// a ``Trainer``, whose seconds leave them out.
public final class StepDivergence<Scalar: KernelScalar> {
  private var weights: [KeptMatrix<Scalar>] = []

  public init(model: any Model<Scalar>) throws(FisherError) {
    for parameter in model.parameters { weights.append(try KeptMatrix(like: parameter, what: "weights before a step")) }
  }

  public func keepWeights(of model: any Model<Scalar>) {
    let parameters = model.parameters
    for i in parameters.indices { weights[i].value.copy(from: parameters[i].value) }
  }

  /// The layers with a Fisher matrix and inputs that their neurons share, whose weights changed since
  /// ``keepWeights(of:)``, on the mini-batch of the model's last training pass, or some thousand of its positions.
  public func compare(with model: any Model<Scalar>) throws(FisherError) -> [(name: String, OutputDivergence)] {
    let parameters = model.parameters
    var found: [(name: String, OutputDivergence)] = []
    try model.observe { (index, observed) throws(FisherError) in
      let parameter = parameters[index]
      guard let subsystem = parameter.subsystem, subsystem.sharesInputs else { return }
      // (the model may have passed its mini-batch through once more, after the step: z is computed with both weights)
      let places = observed.places(atMost: 4096)
      let x = try observed.inputs(at: places, order: parameter.order)
      var before = try Matrix<Scalar>(rows: places.count, columns: parameter.neurons, what: "pre-activations")
      var after = try Matrix<Scalar>(rows: places.count, columns: parameter.neurons, what: "pre-activations")
      before.setToProduct(
        x, .none, weights[index].value, .transposed, inner: parameter.order,
        outputColumns: parameter.neurons)
      after.setToProduct(
        x, .none, parameter.value, .transposed, inner: parameter.order, outputColumns: parameter.neurons)
      found.append((parameter.name, try subsystem.divergence(before: before, after: after)))
    }
    return found
  }
}
