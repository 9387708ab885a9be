/// The Fisher matrix of a whole model, when its joint distribution is the product of its subsystems': block-diagonal,
/// with the expected relative Fisher matrix of each subsystem as its block (Theorem 3).
public struct ModelRFIM<Scalar: KernelScalar>: Sendable {
  /// A subsystem and its block.
  public struct Part: Sendable {
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
  /// The model's block-diagonal metric over its last training pass; of a pair's lower layer the matrix of the pair (eq 12).
  public func rfim() throws(FisherError) -> ModelRFIM<Scalar> {
    try ModelRFIM(of: parameters) { (body) throws(FisherError) in try observe(body) }
  }
}

extension Network {
  /// The same over the mini-batch in ``input``, which passes through as in evaluation.
  public func evaluationRFIM() throws(FisherError) -> ModelRFIM<Scalar> {
    try ModelRFIM(of: parameters) { (body) throws(FisherError) in try predict(observing: body) }
  }
}

extension ModelRFIM {
  fileprivate init(
    of parameters: [Parameter<Scalar>], observing pass: (ObservationBody<Scalar>) throws(FisherError) -> Void
  ) throws(FisherError) {
    var parts: [Part] = []
    try pass { (index, observed) throws(FisherError) in
      guard let subsystem = parameters[index].subsystem else { return }
      parts.append(
        Part(
          index: index, name: parameters[index].name, subsystem: subsystem, rfim: try subsystem.rfim(observed)))
    }
    self.parts = parts
  }
}
