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
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no inputs, outputs or positions; `sizeOverflow` or `outOfMemory`.
  public init(
    inputs: Int, outputs: Int, activation: any Activation, subsystem: (any Subsystem)? = nil, positions: Int = 1,
    name: String = "dense", using generator: inout SeededGenerator
  ) throws(FisherError) {
    inputExtent = Extent(channels: inputs, positions: positions)
    outputExtent = Extent(channels: outputs, positions: positions)
    try inputExtent.validate("\(name): inputs")
    try outputExtent.validate("\(name): outputs")
    self.activation = activation
    weights = try Parameter(
      name: name, neurons: outputs, order: inputs + 1,
      subsystem: subsystem ?? NonlinearLayer(activation.metricForm), positions: positions)
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
