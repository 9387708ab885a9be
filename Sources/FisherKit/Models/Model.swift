/// What an optimizer sees of a network: its parameters with their gradients, and what fed them.
public protocol Model<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  /// Always the same ones, in the same order.
  var parameters: [Parameter<Scalar>] { get }
  /// Hands over what was observed in the last pass, for each parameter that has a subsystem, by its index.
  /// - Throws: what `body` throws; `invalidArgument` where the pass is over.
  func observe(_ body: ObservationBody<Scalar>) throws(FisherError)
}

/// Takes what a parameter's subsystem had for inputs and pre-activations.
public typealias ObservationBody<Scalar: KernelScalar> = (
  _ parameter: Int, _ observed: borrowing Observation<Scalar>
) throws(FisherError) -> Void
