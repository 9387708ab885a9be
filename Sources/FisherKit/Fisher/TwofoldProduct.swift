/// Products with a Fisher matrix in twice the precision, from what the matrix is made of.
protocol TwofoldProduct: AnyObject {
  var neurons: Int { get }
  var order: Int { get }
  /// product (m,d) = Ĝ x
  func multiply(_ product: inout TwofoldMatrix, _ x: borrowing TwofoldMatrix) throws(FisherError)
  /// The trace of each neuron's own block.
  func traces() throws(FisherError) -> [Double]
  /// The additions behind an element of a product.
  var additions: Int { get }
}

/// The A_s that act on the pre-activations of a sample: those of a ``SampleCovariance`` in double precision are of this
/// kind as well.
protocol TwofoldCovariance: AnyObject {
  /// Replaces row s of z (n,m) by A_s times it.
  func apply(_ z: inout TwofoldMatrix) throws(FisherError)
  /// The diagonal of every A_s, into weights (n,m).
  func diagonal(into weights: inout Matrix<Double>) throws(FisherError)
}

/// Ĝ = (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ. Memory: three matrices (n,m), and (m,d) twice.
final class SampledProduct: TwofoldProduct {
  private let observations: Observations<Double>
  private let covariance: any TwofoldCovariance
  let neurons: Int
  private var z: TwofoldMatrix

  init(
    _ observations: Observations<Double>, _ covariance: any TwofoldCovariance, neurons: Int
  ) throws(FisherError) {
    z = try TwofoldMatrix(rows: observations.samples, columns: neurons, what: "pre-activations in twice the precision")
    self.observations = observations
    self.covariance = covariance
    self.neurons = neurons
  }

  var order: Int { observations.inputs.columns }
  var additions: Int { observations.samples + order + neurons }

  func multiply(_ product: inout TwofoldMatrix, _ x: borrowing TwofoldMatrix) throws(FisherError) {
    try z.setToProduct(observations.inputs, transposed: x)
    try covariance.apply(&z)
    product.setToProduct(transposed: z, observations.inputs)
    product.scale(by: 1 / Double(observations.samples))
  }

  func traces() throws(FisherError) -> [Double] {
    let x = observations
    var weights = try Matrix<Double>(rows: x.samples, columns: neurons, what: "weights of \(x.samples) samples")
    try covariance.diagonal(into: &weights)
    var traces = [Double](repeating: 0, count: neurons)
    for s in 0..<x.samples {
      var square = 0.0
      for a in 0..<order { square += x.inputs[s, a] * x.inputs[s, a] }
      for i in 0..<neurons { traces[i] += weights[s, i] * square / Double(x.samples) }
    }
    return traces
  }
}

/// diag[Ĝ_1, …, Ĝ_m] from the blocks themselves, where each neuron has inputs of its own.
final class BlockProduct: TwofoldProduct, Sendable {
  let blocks: BlockBatch<Double>

  init(_ blocks: consuming BlockBatch<Double>) { self.blocks = blocks }

  var neurons: Int { blocks.count }
  var order: Int { blocks.order }
  var additions: Int { order }

  func multiply(_ product: inout TwofoldMatrix, _ x: borrowing TwofoldMatrix) {
    for i in 0..<neurons {
      for a in 0..<order {
        var sum = Twofold(0)
        for b in 0..<order { sum = sum + x[i, b] * blocks[i, a, b] }
        product[i, a] = sum
      }
    }
  }

  func traces() -> [Double] { (0..<neurons).map { i in (0..<order).reduce(0) { $0 + blocks[i, $1, $1] } } }
}

/// X̃ (n,d), kept by the matrices that are made of it.
final class Observations<Scalar: KernelScalar>: Sendable {
  let inputs: Matrix<Scalar>

  init(_ inputs: consuming Matrix<Scalar>) { self.inputs = inputs }

  convenience init(copying x: borrowing Matrix<Scalar>) throws(FisherError) {
    var inputs = try Matrix<Scalar>(rows: x.rows, columns: x.columns, what: "inputs of \(x.rows) samples")
    inputs.copy(from: x)
    self.init(inputs)
  }

  var samples: Int { inputs.rows }

  /// The same numbers as doubles: these, or a copy.
  func inDouble() throws(FisherError) -> Observations<Double> {
    if let same = self as? Observations<Double> { return same }
    return Observations<Double>(try inputs.inDouble(what: "inputs of \(samples) samples"))
  }
}

extension Matrix {
  /// A copy in double precision.
  func inDouble(what: @autoclosure () -> String) throws(FisherError) -> Matrix<Double> {
    var copy = try Matrix<Double>(rows: rows, columns: columns, what: what())
    write(to: &copy)
    return copy
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func write(to other: inout Matrix<Double>) {
    for i in 0..<rows {
      let (row, copy) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<columns { copy[j] = Double(row[j]) }
    }
  }

  /// Takes the elements of `other`, which has this shape, rounded.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  mutating func round(_ other: borrowing Matrix<Double>) {
    demand(rows == other.rows && columns == other.columns, "matrices of another shape")
    for i in 0..<rows {
      let (row, from) = (storage.base + i * stride, other.storage.base + i * other.stride)
      for j in 0..<columns { row[j] = Scalar(from[j]) }
    }
  }
}
