/// The (m,m) matrices A_s that make Ĝ = (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ of a layer whose neurons are coupled: a softmax
/// (eq 10), or a hidden layer seen through the one above it (eq 12).
///
/// Each has a square root A_s = B_sB_sᵀ with B_s (m,k), which is what makes a solve with few samples small. Adding a
/// kind of coupled layer is one type of this kind.
protocol SampleCovariance<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  /// n, m and k.
  var samples: Int { get }
  var neurons: Int { get }
  var rank: Int { get }
  var bytes: Int { get }
  /// Replaces row s of z (n,m) by A_s times it.
  func apply(_ z: inout Matrix<Scalar>) throws(FisherError)
  /// Entry (i, j) of every A_s, into column `column` of weights (n, …).
  func entries(_ i: Int, _ j: Int, into weights: inout Matrix<Scalar>, column: Int) throws(FisherError)
  /// The columns of B_s, each a row of m, at rows s·k ..< (s + 1)·k of `root` (nk, m).
  func root(_ root: inout Matrix<Scalar>) throws(FisherError)
  /// matrix (md, md) = Ĝ where a kernel does all of it; `false` where there is none.
  func fill(_ matrix: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>) throws(FisherError) -> Bool
  /// product = Ĝ V where a kernel does all of it; `false` where there is none.
  func multiply(
    _ product: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>, vectors: borrowing Matrix<Scalar>
  ) -> Bool
}

extension SampleCovariance {
  func fill(_ matrix: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>) throws(FisherError) -> Bool { false }

  func multiply(
    _ product: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>, vectors: borrowing Matrix<Scalar>
  ) -> Bool { false }
}

/// A_s = diag η − ηηᵀ, the covariance of a softmax's outputs (eq 10), of rank m − 1.
final class SoftmaxCovariance<Scalar: KernelScalar>: SampleCovariance {
  let eta: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>

  /// - Parameter preactivations: z (n,m).
  init(preactivations z: borrowing Matrix<Scalar>) throws(FisherError) {
    var eta = try Matrix<Scalar>(rows: z.rows, columns: z.columns, what: "probabilities of the softmax")
    eta.setToSoftmax(of: z)
    let work = try Matrix<Scalar>.softmaxMatvecWorkspace(samples: z.rows, classes: z.columns)
    self.eta = eta
    self.work = work
  }

  var samples: Int { eta.rows }
  var neurons: Int { eta.columns }
  var rank: Int { max(neurons - 1, 0) }
  var bytes: Int { eta.bytes + work.count }

  /// η∘z − η(η·z), with the likeliest class's z taken off first: that changes nothing, and nothing cancels then.
  func apply(_ z: inout Matrix<Scalar>) {
    for s in 0..<samples where neurons > 0 {
      var likeliest = 0
      for i in 1..<neurons where eta[s, i] > eta[s, likeliest] { likeliest = i }
      let shift = Double(z[s, likeliest])
      var mean = 0.0
      for i in 0..<neurons { mean += Double(eta[s, i]) * (Double(z[s, i]) - shift) }
      for i in 0..<neurons { z[s, i] = Scalar(Double(eta[s, i]) * (Double(z[s, i]) - shift - mean)) }
    }
  }

  func entries(_ i: Int, _ j: Int, into weights: inout Matrix<Scalar>, column: Int) {
    for s in 0..<samples {
      if i != j {
        weights[s, column] = -eta[s, i] * eta[s, j]
        continue
      }
      // 1 − η_i as the sum of the others: exact also where the network is sure.
      var others = 0.0
      for k in 0..<neurons where k != i { others += Double(eta[s, k]) }
      weights[s, column] = Scalar(Double(eta[s, i]) * others)
    }
  }

  /// B = diag(√η) H without H's column p, where the Householder reflection H = I − uuᵀ/(1 + q_p), u = e_p + q, takes e_p
  /// to −q with q = √η: the columns of H are orthonormal, and column p spans what diag(√η)(I − qqᵀ) leaves out. With p
  /// the likeliest class nothing cancels, however sure the network is.
  func root(_ root: inout Matrix<Scalar>) {
    let m = neurons
    for s in 0..<samples {
      let q = (0..<m).map { Double(eta[s, $0]).squareRoot() }
      let p = q.indices.max { q[$0] < q[$1] } ?? 0
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
    try matrix.setToSoftmaxBlock(inputs: inputs, eta: eta, alpha: 1 / Double(inputs.rows))
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

/// A_s = diag ν_s, of a layer whose neurons are independent: what the outputs above a hidden layer are.
final class IndependentCovariance<Scalar: KernelScalar>: SampleCovariance {
  let nu: Matrix<Scalar>

  /// - Parameter nu: ν (n,m).
  init(nu: consuming Matrix<Scalar>) { self.nu = nu }

  var samples: Int { nu.rows }
  var neurons: Int { nu.columns }
  var rank: Int { neurons }
  var bytes: Int { nu.bytes }

  func apply(_ z: inout Matrix<Scalar>) { z.multiplyElements(nu) }

  func entries(_ i: Int, _ j: Int, into weights: inout Matrix<Scalar>, column: Int) {
    for s in 0..<samples { weights[s, column] = i == j ? nu[s, i] : 0 }
  }

  func root(_ root: inout Matrix<Scalar>) {
    for s in 0..<samples {
      for l in 0..<neurons {
        for i in 0..<neurons { root[s * neurons + l, i] = i == l ? nu[s, i].squareRoot() : 0 }
      }
    }
  }
}
