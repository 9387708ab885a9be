/// A_s = diag η − ηηᵀ, the covariance of a softmax's outputs (eq 10), of rank m − 1.
///
/// B = diag(√η) H without H's column p, where the Householder reflection H = I − uuᵀ/(1 + q_p), u = e_p + q, takes e_p to
/// −q with q = √η: the columns of H are orthonormal, and column p spans what diag(√η)(I − qqᵀ) leaves out. With p the
/// likeliest class nothing cancels, however sure the network is.
final class SoftmaxCovariance<Scalar: KernelScalar>: SampleCovariance {
  let eta: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>

  /// - Parameter preactivations: z (n,m).
  convenience init(preactivations z: borrowing Matrix<Scalar>) throws(FisherError) {
    var eta = try Matrix<Scalar>(rows: z.rows, columns: z.columns, what: "probabilities of the softmax")
    eta.setToSoftmax(of: z)
    try self.init(eta: eta)
  }

  /// - Parameter eta: η (n,m).
  init(eta: consuming Matrix<Scalar>) throws(FisherError) {
    let work = try Matrix<Scalar>.softmaxMatvecWorkspace(samples: eta.rows, classes: eta.columns)
    self.eta = eta
    self.work = work
  }

  var samples: Int { eta.rows }
  var neurons: Int { eta.columns }
  var rank: Int { max(neurons - 1, 0) }
  var bytes: Int { eta.bytes + work.count }

  /// η∘z − η(η·z), with the likeliest class's z taken off first: that changes nothing, and nothing cancels then.
  func apply(_ z: inout Matrix<Scalar>) { z.projectOnSoftmax(eta: eta) }

  func diagonal(into weights: inout Matrix<Scalar>) { weights.setToVariances(ofProbabilities: eta) }

  func applyRootTransposed(_ p: inout Matrix<Scalar>, _ z: inout Matrix<Scalar>) { p.setToReflections(of: z, eta: eta) }

  func applyRoot(_ z: inout Matrix<Scalar>, _ p: borrowing Matrix<Scalar>) { z.setToReflectedBack(p, eta: eta) }

  func root(_ root: inout Matrix<Scalar>) {
    let m = neurons
    for s in 0..<samples {
      let q = (0..<m).map { Double(eta[s, $0]).squareRoot() }
      // (by η, as in the products: roots of neighbouring numbers can be the same, and B has to be one for all)
      let p = eta.largest(inRow: s)
      var row = s * (m - 1)
      for column in 0..<m where column != p {
        let scale = q[column] / (1 + q[p])
        for i in 0..<m {
          let u = q[i] + (i == p ? 1 : 0)
          root[row, i] = Scalar(q[i] * ((i == column ? 1 : 0) - u * scale))
        }
        row += 1
      }
    }
  }

  func fill(_ matrix: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>) throws(FisherError) -> Bool {
    let work = try Matrix<Scalar>.softmaxBlockWorkspace(
      samples: inputs.rows, order: inputs.columns, classes: neurons)
    matrix.setToSoftmaxBlock(inputs: inputs, eta: eta, alpha: 1 / Double(inputs.rows), work: work)
    return true
  }

  func multiply(
    _ product: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>, vectors: borrowing Matrix<Scalar>
  ) -> Bool {
    product.setToSoftmaxProduct(
      inputs: inputs, eta: eta, vectors: vectors, alpha: 1 / Double(inputs.rows), work: work)
    return true
  }
}

extension SoftmaxCovariance: TwofoldCovariance where Scalar == Double {
  /// η∘(z − (η·z)/(η·1)): η as rounded need not add up to 1, and shifts of z are to change nothing.
  func apply(_ z: inout TwofoldMatrix) {
    for s in 0..<samples {
      var (sum, mean) = (Twofold(0), Twofold(0))
      for i in 0..<neurons {
        sum = sum + Twofold(eta[s, i])
        mean = mean + z[s, i] * eta[s, i]
      }
      mean = mean / sum
      for i in 0..<neurons { z[s, i] = (z[s, i] - mean) * eta[s, i] }
    }
  }
}

// The loops over samples, compiled for both precisions: unspecialised generic arithmetic is a hundred times slower.
extension Matrix {
  /// Row s = (diag η_s − η_sη_sᵀ) times it.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func projectOnSoftmax(eta: borrowing Matrix) {
    let m = eta.columns
    for s in 0..<rows where m > 0 {
      let (z, e) = (storage.base + s * stride, eta.storage.base + s * eta.stride)
      let shift = Double(z[eta.largest(inRow: s)])
      var mean = 0.0
      for i in 0..<m { mean += Double(e[i]) * (Double(z[i]) - shift) }
      for i in 0..<m { z[i] = Scalar(Double(e[i]) * (Double(z[i]) - shift - mean)) }
    }
  }

  /// η_i(1 − η_i), with 1 − η_i as the sum of the others where it is small: exact also where the network is sure.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToVariances(ofProbabilities eta: borrowing Matrix) {
    for s in 0..<rows {
      let (out, e) = (storage.base + s * stride, eta.storage.base + s * eta.stride)
      for i in 0..<eta.columns {
        var others = 1 - Double(e[i])
        if e[i] > 0.5 {
          others = 0
          for k in 0..<eta.columns where k != i { others += Double(e[k]) }
        }
        out[i] = Scalar(Double(e[i]) * others)
      }
    }
  }

  /// Row s (k) = B_sᵀ z_s: Hᵀ(q∘z) without entry p.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToReflections(of z: borrowing Matrix, eta: borrowing Matrix) {
    let m = eta.columns
    for s in 0..<z.rows where m > 0 {
      let (y, e, out) = (z.storage.base + s * z.stride, eta.storage.base + s * eta.stride, storage.base + s * stride)
      let p = eta.largest(inRow: s)
      let qp = Double(e[p]).squareRoot()
      // uᵀ(q∘z)
      var dot = qp * Double(y[p])
      for i in 0..<m { dot += Double(e[i]) * Double(y[i]) }
      let scale = dot / (1 + qp)
      for i in 0..<m where i != p {
        let q = Double(e[i]).squareRoot()
        out[i < p ? i : i - 1] = Scalar(q * (Double(y[i]) - scale))
      }
    }
  }

  /// Row s (m) = B_s p_s: q∘(H times p_s with a 0 put in at entry p).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func setToReflectedBack(_ coefficients: borrowing Matrix, eta: borrowing Matrix) {
    let m = eta.columns
    for s in 0..<rows where m > 0 {
      let (c, e) = (coefficients.storage.base + s * coefficients.stride, eta.storage.base + s * eta.stride)
      let (out, p) = (storage.base + s * stride, eta.largest(inRow: s))
      let qp = Double(e[p]).squareRoot()
      var dot = 0.0
      for i in 0..<m where i != p { dot += Double(e[i]).squareRoot() * Double(c[i < p ? i : i - 1]) }
      let scale = dot / (1 + qp)
      for i in 0..<m {
        let q = Double(e[i]).squareRoot()
        let entry = i == p ? -(1 + q) * scale : Double(c[i < p ? i : i - 1]) - q * scale
        out[i] = Scalar(q * entry)
      }
    }
  }

  /// The column of the largest element of a row, the first of equal ones.
  fileprivate func largest(inRow s: Int) -> Int {
    let row = storage.base + s * stride
    var largest = 0
    for i in 1..<max(columns, 1) where row[i] > row[largest] { largest = i }
    return largest
  }
}
