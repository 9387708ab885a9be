/// A fully connected layer, f(W x̃).
///
/// Cost of a mini-batch of n: 2nmd flops forward, 4nmd backward.
public final class Dense<Scalar: KernelScalar>: Layer {
  public let inputs: Int
  public let outputs: Int
  public let activation: any Activation
  public let weights: Parameter<Scalar>
  private var preactivations: Matrix<Scalar>

  /// A layer with Glorot-uniform weights and zero biases.
  ///
  /// - Parameters:
  ///   - activation: f, run forward and backward.
  ///   - subsystem: what its relative Fisher matrix is; by default that of a non-linear layer with the activation's
  ///     ``Activation/metricForm``.
  public init(
    inputs: Int, outputs: Int, activation: any Activation, subsystem: (any Subsystem)? = nil, name: String = "dense",
    using generator: inout SeededGenerator
  ) throws(FisherError) {
    demand(inputs > 0 && outputs > 0, "a layer has at least one input and one output")
    self.inputs = inputs
    self.outputs = outputs
    self.activation = activation
    weights = try Parameter(
      name: name, neurons: outputs, order: inputs + 1,
      subsystem: subsystem ?? NonlinearLayer(activation.metricForm))
    preactivations = try Matrix(rows: 0, columns: outputs)
    weights.startGlorotUniform(using: &generator)
  }

  public var parameters: [Parameter<Scalar>] { [weights] }
  public var bytes: Int { weights.bytes + preactivations.bytes }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    preactivations = try Matrix(rows: capacity, columns: outputs, what: "\(weights.name): pre-activations")
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

  public func observe(
    input: borrowing Matrix<Scalar>,
    _ body: (_ parameter: Int, _ inputs: borrowing Matrix<Scalar>, _ preactivations: borrowing Matrix<Scalar>)
      throws(FisherError) -> Void
  ) throws(FisherError) {
    try body(0, input, preactivations)
  }
}
