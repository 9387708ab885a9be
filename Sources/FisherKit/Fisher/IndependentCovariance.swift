/// A_s = diag ν_s, of a layer whose neurons are independent: what the outputs above a hidden layer are.
final class IndependentCovariance<Scalar: KernelScalar>: SampleCovariance {
  let nu: Matrix<Scalar>
  private let roots: Matrix<Scalar>

  /// - Parameter nu: ν (n,m).
  init(nu: consuming Matrix<Scalar>) throws(FisherError) {
    var roots = try Matrix<Scalar>(rows: nu.rows, columns: nu.columns, what: "square roots of ν")
    for s in 0..<nu.rows {
      for l in 0..<nu.columns { roots[s, l] = nu[s, l].squareRoot() }
    }
    self.nu = nu
    self.roots = roots
  }

  var samples: Int { nu.rows }
  var neurons: Int { nu.columns }
  var rank: Int { neurons }
  var bytes: Int { nu.bytes + roots.bytes }

  func apply(_ z: inout Matrix<Scalar>) { z.multiplyElements(nu) }

  func diagonal(into weights: inout Matrix<Scalar>) { weights.copy(from: nu) }

  func applyRootTransposed(_ p: inout Matrix<Scalar>, _ z: inout Matrix<Scalar>) { applyRoot(&p, z) }

  func applyRoot(_ z: inout Matrix<Scalar>, _ p: borrowing Matrix<Scalar>) {
    z.copy(from: p)
    z.multiplyElements(roots)
  }

  func root(_ root: inout Matrix<Scalar>) {
    for s in 0..<samples {
      for l in 0..<neurons {
        for i in 0..<neurons { root[s * neurons + l, i] = i == l ? roots[s, i] : 0 }
      }
    }
  }
}

extension IndependentCovariance: TwofoldCovariance where Scalar == Double {
  func apply(_ z: inout TwofoldMatrix) { z.multiplyElements(nu) }
}
