/// A fully connected layer, f(W x̃); of several positions, such as the tokens of a text, the same one at each of them.
///
/// Cost of a mini-batch of n rows: 2nmd flops forward, 4nmd backward.
public final class Dense<Scalar: KernelScalar>: Layer {
  public let inputExtent: Extent
  public let outputExtent: Extent
  public let activation: any Activation
  public let weights: Parameter<Scalar>
  private var preactivations: Matrix<Scalar>

  /// A layer with Glorot-uniform weights and zero biases.
  ///
  /// - Parameters:
  ///   - activation: f, run forward and backward.
  ///   - subsystem: what its relative Fisher matrix is; by default that of a non-linear layer with the activation's
  ///     ``Activation/metricForm``.
  ///   - isMeasured: `false` leaves it without, to the plain gradient or to another optimizer.
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no inputs, outputs or positions; `sizeOverflow` or `outOfMemory`.
  public init(
    inputs: Int, outputs: Int, activation: any Activation, subsystem: (any Subsystem)? = nil, isMeasured: Bool = true,
    positions: Int = 1, name: String = "dense", using generator: inout SeededGenerator
  ) throws(FisherError) {
    inputExtent = Extent(channels: inputs, positions: positions)
    outputExtent = Extent(channels: outputs, positions: positions)
    try inputExtent.validate("\(name): inputs")
    try outputExtent.validate("\(name): outputs")
    self.activation = activation
    weights = try Parameter(
      name: name, neurons: outputs, order: inputs + 1,
      subsystem: isMeasured ? subsystem ?? NonlinearLayer(activation.metricForm) : nil, positions: positions)
    preactivations = try Matrix(rows: 0, columns: outputs)
    weights.startGlorotUniform(using: &generator)
  }

  public var parameters: [Parameter<Scalar>] { [weights] }
  public var bytes: Int { stateBytes }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.child("weights", weights)
    visitor.scratch("pre-activations", preactivations)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    preactivations = try Matrix(
      rows: try outputExtent.rows(samples: capacity, "\(weights.name): pre-activations"), columns: outputs,
      what: "\(weights.name): pre-activations")
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    preactivations.resize(rows: input.rows)
    preactivations.setToProduct(
      input, .none, weights.value, .transposed, inner: inputs + 1, outputColumns: outputs)
    output.resize(rows: input.rows)
    activation.values(&output, of: preactivations)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    activation.backward(&delta, of: preactivations)
    weights.gradient.setToProduct(
      delta, .transposed, input, .none, inner: input.rows, outputColumns: inputs + 1)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows)
    inputDelta.setToProduct(delta, .none, weights.value, .none, inner: outputs, outputColumns: inputs)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    try body(0, Observation(inputs: input, preactivations: preactivations, positions: inputExtent.positions))
  }

  public func rescaleStart(by scales: [Double]) -> Bool {
    guard weights.isAtStart else { return false }
    weights.rescaleStart(by: scales)
    return true
  }
}

// MARK: In a file

extension Dense: KeepableLayer {
  public struct Settings: Codable {
    var activation: ActivationRecord
    /// `nil` of a layer without a Fisher matrix.
    var measuredBy: SubsystemRecord?

    enum CodingKeys: String, CodingKey {
      case activation
      case measuredBy = "measured_by"
    }
  }

  public static var kind: String { "dense" }

  public func settings(place: String) throws(DataError) -> Settings {
    var settings = Settings(activation: try ActivationRecord(activation, place: place))
    if let subsystem = weights.subsystem { settings.measuredBy = try SubsystemRecord(subsystem, place: place) }
    return settings
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    [.init("weight", [record.outputs, record.inputs]), .init("bias", [record.outputs])]
  }

  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    try tensors.exchange("weight", &weights.value, columns: 0..<inputs)
    try tensors.exchange("bias", &weights.value, columns: inputs..<(inputs + 1))
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    let record = kept.record
    var subsystem: (any Subsystem)?
    if let measured = settings.measuredBy { subsystem = try kept.subsystem(measured) }
    guard subsystem?.sharesInputs != false, let name = record.name else { throw kept.mistake }
    var generator = SeededGenerator(seed: 0, stream: .initialisation)
    try self.init(
      inputs: record.inputs, outputs: record.outputs, activation: try kept.activation(settings.activation),
      subsystem: subsystem, isMeasured: subsystem != nil, positions: record.inputExtent.positions, name: name,
      using: &generator)
  }

  public static func summary(of record: LayerRecord, settings: Settings) -> [String] {
    [
      "\(record.inputExtent) to \(record.outputExtent)", settings.activation.summary,
      settings.measuredBy.map { "measured as \($0.summary)" } ?? "not measured",
    ]
  }
}

// MARK: In a description

extension Dense: DescribedLayer {
  /// The last layer has the outputs of the data where it says none, is linear, and is measured by what the loss makes of it.
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    guard let outputs = try description.count("outputs") ?? (model.isLast ? model.outputs : nil) else {
      throw DataError(description.place, expected: "outputs, a number of neurons", found: "none")
    }
    let activation = try description.activation() ?? (model.isLast ? Linear() : model.activation)
    if model.extent.positions == 1 { model.image = nil } else { model.image?.channels = outputs }
    return try Dense(
      inputs: model.extent.channels, outputs: outputs, activation: activation,
      subsystem: model.isLast ? model.outputSubsystem : nil, isMeasured: model.isMeasured,
      positions: model.extent.positions, name: model.name, using: &model.generator)
  }
}
