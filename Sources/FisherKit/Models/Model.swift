/// What an optimizer sees of a network: its parameters with their gradients, and what fed them.
public protocol Model<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  /// Always the same ones, in the same order.
  var parameters: [Parameter<Scalar>] { get }
  /// Shows X̃ (n,d) and z (n,m) of the last mini-batch for each parameter that has a subsystem, by its index.
  func observe(
    _ body: (_ parameter: Int, _ inputs: borrowing Matrix<Scalar>, _ preactivations: borrowing Matrix<Scalar>)
      throws(FisherError) -> Void
  ) throws(FisherError)
}
