/// A part of a network that has a relative Fisher information matrix of its own: it knows what its matrix is, while a
/// ``Metric`` knows how that is held and inverted.
///
/// A layer of m neurons with inputs x̃ has the matrix diag[ν_1 x̃x̃ᵀ, …, ν_m x̃x̃ᵀ]; what kind of layer it is decides ν.
public protocol Subsystem: Sendable, CustomStringConvertible {
  /// What kind of matrix it has; by default a block for each neuron.
  var form: Form { get }
  /// Whether its outputs are normal: then their unit variance is a choice of units, and how far a step may move them is
  /// measured by their own mean square, where probabilities are measured as they are. By default so.
  var hasNormalOutputs: Bool { get }
  /// ν (n,m) from the pre-activations z (n,m): what each neuron has for itself, of coupled ones the diagonal of A_s.
  func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>)
  /// How far a change of its pre-activations from z to z' (n,m) moves its outputs. By default that of normal outputs.
  func divergence<S: KernelScalar>(
    before z: borrowing Matrix<S>, after new: borrowing Matrix<S>
  ) throws(FisherError) -> OutputDivergence
}

extension Subsystem {
  public var form: Form { .neurons }
  public var hasNormalOutputs: Bool { true }

  /// Its relative Fisher matrix over samples X̃ (n,d) with pre-activations z (n,m), by its ``form``.
  public func rfim<S: KernelScalar>(
    inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>
  ) throws(FisherError) -> any RFIM<S> {
    try rfim(Observation(inputs: x, preactivations: z))
  }

  /// Its relative Fisher matrix in a pass, by its ``form``.
  /// - Throws: `invalidArgument` for two layers without the one above; `sizeOverflow` or `outOfMemory`.
  public func rfim<S: KernelScalar>(_ observed: borrowing Observation<S>) throws(FisherError) -> any RFIM<S> {
    if observed.positions == 1, observed.patches == nil { return try rfim(observed, inputs: observed.inputs) }
    return try observed.withInputs { (inputs) throws(FisherError) in
      var scaled = try Matrix<S>(rows: observed.rows, columns: inputs.columns, what: "inputs of all positions")
      scaled.copy(from: inputs)
      scaled.scale(by: observed.scale)
      return try rfim(observed, inputs: scaled)
    }
  }

  /// The same, with inputs that were scaled for their positions.
  private func rfim<S: KernelScalar>(
    _ observed: borrowing Observation<S>, inputs x: borrowing Matrix<S>
  ) throws(FisherError) -> any RFIM<S> {
    let (rows, neurons) = (observed.rows, observed.preactivations.columns)
    switch form {
    case .shared(let nu): return try SharedBlock<S>(inputs: x, nu: nu, neurons: neurons)
    case .neurons:
      // In double precision: what rounding it to Float would lose is felt by a solve.
      var nu = try Matrix<Double>(rows: rows, columns: neurons, what: "ν of \(rows) samples")
      self.nu(&nu, preactivations: try observed.preactivations.inDouble(what: "pre-activations of \(rows) samples"))
      return try NeuronBlocks<S>(inputs: x, exactNu: nu)
    case .channels(let hasShift):
      return try NeuronBlocks<S>(channels: observed.inputs, hasShift: hasShift, positions: observed.positions)
    case .windows:
      var nu = try Matrix<Double>(rows: rows, columns: neurons, what: "ν of \(rows) samples")
      self.nu(&nu, preactivations: try observed.preactivations.inDouble(what: "pre-activations of \(rows) samples"))
      return try NeuronBlocks<S>(windows: x, exactNu: nu)
    case .softmax:
      return try SampledBlock<S>(inputs: x, source: try SoftmaxSource<S>(preactivations: observed.preactivations))
    case .coupled(let coupling):
      return try SampledBlock<S>(
        inputs: x, source: try CouplingSource<S>(coupling, preactivations: observed.preactivations))
    case .twoLayers(let layers): return try layers.rfim(observed, inputs: x)
    }
  }

  /// The covariance of a layer's outputs given their pre-activations z (n,m): diag η − ηηᵀ, diag ν, or what it is coupled
  /// by.
  func outputCovariance<S: KernelScalar>(
    preactivations z: borrowing Matrix<S>
  ) throws(FisherError) -> any SampleCovariance<S> {
    switch form {
    case .softmax: return try SoftmaxCovariance(preactivations: z)
    case .coupled(let coupling): return try coupling.covariance(preactivations: z)
    case .shared, .neurons, .channels, .windows, .twoLayers:
      var nu = try Matrix<S>(rows: z.rows, columns: z.columns, what: "ν of the outputs")
      self.nu(&nu, preactivations: z)
      return try IndependentCovariance(nu: nu)
    }
  }
}
