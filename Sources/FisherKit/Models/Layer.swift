/// A layer of a ``Sequential`` network. What passes between layers is X̃: n rows of the outputs with a 1 behind them,
/// the bias column of the next layer.
///
/// The network owns what flows through; a layer owns its parameters and whatever else its backward pass needs.
public protocol Layer<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  /// Widths, without the bias column.
  var inputs: Int { get }
  var outputs: Int { get }
  var parameters: [Parameter<Scalar>] { get }
  /// The memory that it holds.
  var bytes: Int { get }
  /// Makes room for mini-batches of up to `capacity` samples; called once, before anything else.
  func prepare(batchCapacity capacity: Int) throws(FisherError)
  /// The training pass: writes the first `outputs` columns of `output`.
  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>)
  /// The same outside of training, where what comes out for a sample depends on that sample only; by default
  /// ``forward(_:into:)``. No backward pass follows it.
  func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>)
  /// Sets the gradients of its parameters from delta = ∂L/∂output (n, outputs), which it may overwrite.
  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>)
  /// After ``backward(_:input:)``: inputDelta = ∂L/∂input (n, inputs), from the delta that backward left.
  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>)
  /// Shows X̃ and z of each parameter that has a subsystem, by its index in `parameters`.
  func observe(
    input: borrowing Matrix<Scalar>,
    _ body: (_ parameter: Int, _ inputs: borrowing Matrix<Scalar>, _ preactivations: borrowing Matrix<Scalar>)
      throws(FisherError) -> Void
  ) throws(FisherError)
}

extension Layer {
  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    forward(input, into: &output)
  }
}
