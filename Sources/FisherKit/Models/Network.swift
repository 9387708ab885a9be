/// A model that mini-batches pass through: what a ``Trainer`` needs to know of it. ``Sequential`` is one, of layers that may
/// be made of layers; a graph with a forward and a backward pass of its own is another.
public protocol Network<Scalar>: Model, State {
  /// What goes in and comes out for a sample, the bias column left out.
  var inputExtent: Extent { get }
  var outputExtent: Extent { get }
  /// The most samples that can be passed through at a time.
  var batchCapacity: Int { get }
  /// The mini-batch X̃ (rows, channels + 1), a row for each position of each sample, the last column 1.
  var input: Matrix<Scalar> { get set }
  /// The samples of the mini-batch in ``input``; by default its rows over the positions.
  var samples: Int { get }
  /// Hands ``input`` to `body`; by default as it is. (What a property hands over through a protocol allocates, and a training
  /// step is to allocate nothing.)
  func withInput<R, E: Error>(_ body: (inout Matrix<Scalar>) throws(E) -> R) throws(E) -> R
  /// The training pass: passes ``input`` through, and hands what comes out (rows, outputs) to `body`.
  func forward<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R
  /// The evaluation pass, where what comes out for a sample depends on that sample only. A ``backward(_:)`` needs another
  /// ``forward(_:)`` first, and so does ``Model/observe(_:)``.
  func predict<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R
  /// The evaluation pass, with what was observed in it.
  func predict(observing body: ObservationBody<Scalar>) throws(FisherError)
  /// Goes back from ∂L/∂outputs, which `body` writes, knowing the outputs, and sets every parameter's gradient. Call it after
  /// ``forward(_:)`` on the same mini-batch.
  func backward(_ body: (_ outputs: borrowing Matrix<Scalar>, _ delta: inout Matrix<Scalar>) -> Void)
  /// Starts weights that have learned nothing yet in other units: those of input j times scales[j].
  /// - Returns: whether there were some; by default not.
  func rescaleStart(by scales: [Double]) -> Bool
  /// Takes the time of forward and backward passes, where there is one.
  var profile: StepProfile? { get set }
  var bytes: Int { get }
}

extension Network {
  /// Widths, without the bias column.
  public var inputs: Int { inputExtent.channels }
  public var outputs: Int { outputExtent.channels }

  public func rescaleStart(by scales: [Double]) -> Bool { false }

  public var samples: Int { input.rows / inputExtent.positions }

  public func withInput<R, E: Error>(_ body: (inout Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(&input)
  }
}
