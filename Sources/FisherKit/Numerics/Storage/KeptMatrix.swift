/// A matrix that lists and optionals can hold.
final class KeptMatrix<Scalar: KernelScalar> {
  var value: Matrix<Scalar>

  init(neurons: Int, order: Int, what: String) throws(FisherError) {
    value = try Matrix(rows: neurons, columns: order, what: what)
  }
}
