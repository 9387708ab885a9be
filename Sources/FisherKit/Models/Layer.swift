/// A part of a network: a map with its parameters, or an arrangement of such parts (``Sequential``, ``Residual``,
/// ``Parallel``). What passes between layers is X̃: a row of channels for each position of each sample, and where the layer
/// above asks for it a 1 behind them.
///
/// Whoever holds a layer owns what flows through; a layer owns its parameters and whatever else its backward pass needs.
///
/// To add a kind of layer, write one file with a class that conforms to this. What its weights' Fisher matrix is, its
/// parameters' subsystems say.
public protocol Layer<Scalar>: State {
  associatedtype Scalar: KernelScalar
  /// What goes in and comes out for a sample.
  var inputExtent: Extent { get }
  var outputExtent: Extent { get }
  /// Whether its inputs are to have a bias column; by default so.
  var takesBias: Bool { get }
  /// Always the same ones, in the same order.
  var parameters: [Parameter<Scalar>] { get }
  /// The memory that it holds.
  var bytes: Int { get }
  /// What it was made with, by name, but for its widths and what its parameters say: a checkpoint belongs to a run with the
  /// same. By default nothing.
  var settings: [String: String] { get }
  /// Makes room for mini-batches of up to `capacity` samples; called once, before anything else.
  func prepare(batchCapacity capacity: Int) throws(FisherError)
  /// The training pass: writes the first `outputs` columns of `output`.
  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>)
  /// The same outside of training, where what comes out for a sample depends on that sample only; by default
  /// ``forward(_:into:)``. No backward pass follows it.
  func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>)
  /// Sets the gradients of its parameters from delta = ∂L/∂output (rows, outputs), which it may overwrite.
  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>)
  /// After ``backward(_:input:)``: inputDelta = ∂L/∂input (rows, inputs), from the delta that backward left.
  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>)
  /// Hands over what each parameter that has a subsystem was fed in the last pass, by its index in `parameters`.
  func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError)
  /// Starts weights that have learned nothing yet in other units: those of input j times scales[j].
  /// - Returns: whether there were some; by default not.
  func rescaleStart(by scales: [Double]) -> Bool
}

extension Layer {
  /// Its memory is counted; a layer that is to be kept in a checkpoint says what it holds: its parameters, and whatever else
  /// the next mini-batch would find changed.
  public func visit(_ visitor: StateVisitor) throws { try visitor.refuse(self, bytes: bytes) }

  /// Widths, without the bias column.
  public var inputs: Int { inputExtent.channels }
  public var outputs: Int { outputExtent.channels }
  public var takesBias: Bool { true }
  public var settings: [String: String] { [:] }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    forward(input, into: &output)
  }

  public func rescaleStart(by scales: [Double]) -> Bool { false }

  /// For messages.
  var name: String { parameters.first?.name ?? "\(type(of: self))" }
}
