/// A hidden layer seen through the layer above it (eqs 11 and 12): A_s = F_s Cᵀ O_s C F_s, with F_s = diag f'(z_s) of the
/// hidden neurons, C (D_y, m) the weights above without their bias, and O_s the covariance of the outputs: diag ν for
/// independent Bernoulli or Gaussian outputs, diag η − ηηᵀ for a softmax.
///
/// Where the supplement's eq 12 has ν_f(w_i, x̃) the hidden neuron's derivative f' belongs, ∂h_i/∂z_i: they are the same
/// for tanh and sigm, and differ for relu and elu.
final class TwoLayerCovariance<Scalar: KernelScalar>: SampleCovariance {
  let slopes: Matrix<Scalar>
  let outer: Matrix<Scalar>
  let outputs: any SampleCovariance<Scalar>
  /// What passes through the outputs, (n, D_y).
  private var above: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>

  /// - Parameters:
  ///   - slopes: f'(z) (n,m); `outerWeights`: C, whose first m columns are used; `outputs`: the O_s.
  init(
    slopes: consuming Matrix<Scalar>, outerWeights c: borrowing Matrix<Scalar>, outputs: any SampleCovariance<Scalar>
  ) throws(FisherError) {
    demand(slopes.rows == outputs.samples, "expected the outputs of \(slopes.rows) samples")
    demand(
      c.rows == outputs.neurons && c.columns >= slopes.columns,
      "expected outer weights of \(outputs.neurons)×\(slopes.columns)")
    var outer = try Matrix<Scalar>(rows: c.rows, columns: slopes.columns, what: "outer weights")
    for l in 0..<c.rows {
      for i in 0..<slopes.columns { outer[l, i] = c[l, i] }
    }
    above = try Matrix<Scalar>(rows: slopes.rows, columns: c.rows, what: "outputs of the product")
    work = try Matrix<Scalar>.twoLayerWorkspace(samples: slopes.rows, neurons: slopes.columns, outputs: c.rows)
    self.slopes = slopes
    self.outer = outer
    self.outputs = outputs
  }

  var samples: Int { slopes.rows }
  var neurons: Int { slopes.columns }
  var rank: Int { outputs.rank }
  var bytes: Int { slopes.bytes + outer.bytes + outputs.bytes + above.bytes + work.count }

  func apply(_ z: inout Matrix<Scalar>) {
    passUp(&z)
    outputs.apply(&above)
    passDown(&z)
  }

  /// f'_i² Σ_{l,k} c_li O_lk c_ki = f'_i² ‖B_sᵀc_i‖² with c_i column i of C and B_s the root of O_s: no difference that
  /// could cancel. Cost n m D_y operations.
  func diagonal(into weights: inout Matrix<Scalar>) throws(FisherError) {
    var coefficients = try Matrix<Scalar>(rows: samples, columns: rank, what: "square roots of the outputs")
    for i in 0..<neurons {
      for l in 0..<outer.rows { above.fill(column: l, with: outer[l, i]) }
      outputs.applyRootTransposed(&coefficients, &above)
      weights.setToSquares(ofRowsOf: coefficients, column: i)
    }
    weights.multiplyElements(slopes)
    weights.multiplyElements(slopes)
  }

  func applyRootTransposed(_ p: inout Matrix<Scalar>, _ z: inout Matrix<Scalar>) {
    passUp(&z)
    outputs.applyRootTransposed(&p, &above)
  }

  func applyRoot(_ z: inout Matrix<Scalar>, _ p: borrowing Matrix<Scalar>) {
    outputs.applyRoot(&above, p)
    passDown(&z)
  }

  func multiply(
    _ product: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>, vectors: borrowing Matrix<Scalar>
  ) -> Bool {
    let alpha = 1 / Double(inputs.rows)
    switch outputs {
    case let softmax as SoftmaxCovariance<Scalar>:
      product.setToTwoLayerProduct(
        inputs: inputs, slopes: slopes, outerWeights: outer, above: softmax.eta, isSoftmax: true, vectors: vectors,
        alpha: alpha, work: work)
    case let independent as IndependentCovariance<Scalar>:
      product.setToTwoLayerProduct(
        inputs: inputs, slopes: slopes, outerWeights: outer, above: independent.nu, isSoftmax: false, vectors: vectors,
        alpha: alpha, work: work)
    default: return false
    }
    return true
  }

  /// F_s Cᵀ times the root of O_s.
  func root(_ root: inout Matrix<Scalar>) throws(FisherError) {
    var above = try Matrix<Scalar>(rows: samples * rank, columns: outer.rows, what: "square roots of the outputs")
    try outputs.root(&above)
    root.setToProduct(above, .none, outer, .none, inner: outer.rows, outputColumns: neurons)
    root.multiplyRows(by: slopes, times: rank)
  }

  /// above = C F z
  private func passUp(_ z: inout Matrix<Scalar>) {
    z.multiplyElements(slopes)
    above.setToProduct(z, .none, outer, .transposed, inner: neurons, outputColumns: outer.rows)
  }

  /// z = F Cᵀ above
  private func passDown(_ z: inout Matrix<Scalar>) {
    z.setToProduct(above, .none, outer, .none, inner: outer.rows, outputColumns: neurons)
    z.multiplyElements(slopes)
  }
}

extension TwoLayerCovariance: TwofoldCovariance where Scalar == Double {
  func apply(_ z: inout TwofoldMatrix) throws(FisherError) {
    guard let outputs = outputs as? any TwofoldCovariance else { fatalError("outputs of an unknown kind") }
    var above = try TwofoldMatrix(rows: samples, columns: outer.rows, what: "outputs in twice the precision")
    var turned = try Matrix<Double>(rows: neurons, columns: outer.rows, what: "transposed outer weights")
    for l in 0..<outer.rows {
      for i in 0..<neurons { turned[i, l] = outer[l, i] }
    }
    z.multiplyElements(slopes)
    above.setToProduct(z, turned)
    try outputs.apply(&above)
    z.setToProduct(above, outer)
    z.multiplyElements(slopes)
  }
}

extension Matrix {
  /// Rows s·count to (s + 1)·count − 1 times row s of `factors`, element by element.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func multiplyRows(by factors: borrowing Matrix, times count: Int) {
    demand(rows == factors.rows * count && columns == factors.columns, "matrices of another shape")
    for i in 0..<rows {
      let (row, factor) = (storage.base + i * stride, factors.storage.base + i / count * factors.stride)
      for j in 0..<columns { row[j] *= factor[j] }
    }
  }

  /// Entry (s, column) = ‖row s of `rows`‖².
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToSquares(ofRowsOf other: borrowing Matrix, column: Int) {
    for s in 0..<rows {
      let row = other.storage.base + s * other.stride
      var sum: Scalar = 0
      for a in 0..<other.columns { sum += row[a] * row[a] }
      storage.base[s * stride + column] = sum
    }
  }
}
