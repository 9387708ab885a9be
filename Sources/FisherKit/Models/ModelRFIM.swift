/// The Fisher matrix of a whole model, when its joint distribution is the product of its subsystems': block-diagonal,
/// with the expected relative Fisher matrix of each subsystem as its block (Theorem 3).
public struct ModelRFIM<Scalar: KernelScalar> {
  /// A subsystem and its block.
  public struct Part {
    /// The parameter's place in ``Model/parameters``, and its name.
    public let index: Int
    public let name: String
    public let subsystem: any Subsystem
    public let rfim: any RFIM<Scalar>
  }

  /// In the order of the model's parameters; those without a subsystem are left out.
  public let parts: [Part]

  /// The order of the whole matrix, Σ md.
  public var size: Int { parts.reduce(0) { $0 + $1.rfim.neurons * $1.rfim.order } }

  /// All eigenvalues.
  public func spectrum(memoryCap: Int = defaultMemoryCap) throws(FisherError) -> Spectrum {
    var eigenvalues: [Double] = []
    for part in parts { eigenvalues += try part.rfim.spectrum(memoryCap: memoryCap).eigenvalues }
    return Spectrum(eigenvalues, unit: Double(Scalar.ulpOfOne))
  }

  /// Replaces the model's gradients by (Ĝ + λI)⁻¹ times them, block by block; parameters without a subsystem keep theirs.
  public func solve(
    _ model: any Model<Scalar>, damping: Double, route: SolveRoute = .automatic, memoryCap: Int = defaultMemoryCap
  ) throws(FisherError) {
    let parameters = model.parameters
    for part in parts {
      try part.rfim.solve(&parameters[part.index].gradient, damping: damping, route: route, memoryCap: memoryCap)
    }
  }
}

extension Model {
  /// The model's block-diagonal metric over its last mini-batch; of a pair's lower layer the matrix of the pair (eq 12).
  public func rfim() throws(FisherError) -> ModelRFIM<Scalar> {
    var parts: [ModelRFIM<Scalar>.Part] = []
    let parameters = parameters
    // The pre-activations above the lower layer of each pair.
    var outputs: [Observations<Scalar>?] = parameters.map { _ in nil }
    try observe { (index, _, preactivations) throws(FisherError) in
      guard let lower = parameters.firstIndex(where: { $0.pair?.outer === parameters[index] }) else { return }
      outputs[lower] = try Observations(copying: preactivations)
    }
    try observe { (index, inputs, preactivations) throws(FisherError) in
      let parameter = parameters[index]
      guard let subsystem = parameter.subsystem else { return }
      var rfim: any RFIM<Scalar>
      if let pair = parameter.pair, let outer = pair.outer.subsystem, let above = outputs[index] {
        rfim = try SampledBlock<Scalar>(
          inputs: inputs,
          source: try TwoLayerSource<Scalar>(
            hidden: pair.hidden, outer: outer, preactivations: preactivations, outerWeights: pair.outer.value,
            above: above))
      } else {
        rfim = try subsystem.rfim(inputs: inputs, preactivations: preactivations)
      }
      parts.append(ModelRFIM.Part(index: index, name: parameter.name, subsystem: subsystem, rfim: rfim))
    }
    return ModelRFIM(parts: parts)
  }
}
