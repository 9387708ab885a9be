/// A hidden layer seen through the layer above it (eqs 11 and 12): A_s = F_s Cᵀ O_s C F_s, with F_s = diag f'(z_s) of the
/// hidden neurons, C (D_y, m) the weights above without their bias, and O_s the covariance of the outputs: diag ν for
/// independent Bernoulli or Gaussian outputs, diag η − ηηᵀ for a softmax.
///
/// Where the supplement's eq 12 has ν_f(w_i, x̃) the hidden neuron's derivative f' belongs, ∂h_i/∂z_i: they are the same
/// for tanh and sigm, and differ for relu and elu.
final class TwoLayerCovariance<Scalar: KernelScalar>: SampleCovariance {
  private let slopes: Matrix<Scalar>
  private let outer: Matrix<Scalar>
  private let outputs: any SampleCovariance<Scalar>
  private let work: AlignedBuffer<UInt8>

  /// - Parameters:
  ///   - slopes: f'(z) (n,m); `outerWeights`: C, whose first m columns are used; `outputs`: the O_s.
  init(
    slopes: consuming Matrix<Scalar>, outerWeights c: borrowing Matrix<Scalar>, outputs: any SampleCovariance<Scalar>
  ) throws(FisherError) {
    precondition(slopes.rows == outputs.samples, "expected the outputs of \(slopes.rows) samples")
    precondition(
      c.rows == outputs.neurons && c.columns >= slopes.columns,
      "expected outer weights of \(outputs.neurons)×\(slopes.columns)")
    var outer = try Matrix<Scalar>(rows: c.rows, columns: slopes.columns, what: "outer weights")
    for l in 0..<c.rows {
      for i in 0..<slopes.columns { outer[l, i] = c[l, i] }
    }
    let work = try Matrix<Scalar>.twoLayerWorkspace(
      samples: slopes.rows, neurons: slopes.columns, outputs: c.rows)
    self.slopes = slopes
    self.outer = outer
    self.outputs = outputs
    self.work = work
  }

  var samples: Int { slopes.rows }
  var neurons: Int { slopes.columns }
  var rank: Int { outputs.rank }
  var bytes: Int { slopes.bytes + outer.bytes + outputs.bytes + work.count }

  func apply(_ z: inout Matrix<Scalar>) throws(FisherError) {
    z.multiplyElements(slopes)
    var above = try Matrix<Scalar>(rows: samples, columns: outer.rows, what: "outputs of the product")
    above.setToProduct(z, .none, outer, .transposed, inner: neurons, outputColumns: outer.rows)
    try outputs.apply(&above)
    z.setToProduct(above, .none, outer, .none, inner: outer.rows, outputColumns: neurons)
    z.multiplyElements(slopes)
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

  /// f'_i f'_j Σ_{l,k} c_li O_lk c_kj
  func entries(_ i: Int, _ j: Int, into weights: inout Matrix<Scalar>, column: Int) throws(FisherError) {
    for s in 0..<samples { weights[s, column] = 0 }
    var pair = try Matrix<Scalar>(rows: samples, columns: 1, what: "weights of a pair of outputs")
    for l in 0..<outer.rows {
      for k in 0..<outer.rows where l == k || !(outputs is IndependentCovariance<Scalar>) {
        try outputs.entries(l, k, into: &pair, column: 0)
        let factor = outer[l, i] * outer[k, j]
        for s in 0..<samples { weights[s, column] += factor * pair[s, 0] }
      }
    }
    for s in 0..<samples { weights[s, column] *= slopes[s, i] * slopes[s, j] }
  }

  /// F_s Cᵀ times the root of O_s.
  func root(_ root: inout Matrix<Scalar>) throws(FisherError) {
    var above = try Matrix<Scalar>(rows: samples * rank, columns: outer.rows, what: "square roots of the outputs")
    try outputs.root(&above)
    root.setToProduct(above, .none, outer, .none, inner: outer.rows, outputColumns: neurons)
    for s in 0..<samples {
      for l in 0..<rank {
        for i in 0..<neurons { root[s * rank + l, i] *= slopes[s, i] }
      }
    }
  }
}
