/// The (m,m) matrices A_s that make Ĝ = (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ of a layer whose neurons are coupled: a softmax
/// (eq 10), or a hidden layer seen through the one above it (eq 12).
///
/// Each has a square root A_s = B_sB_sᵀ with B_s (m,k), which is what makes a solve with few samples small. Adding a
/// kind of coupled layer is one type of this kind, or a ``RootCovariance`` of its roots.
public protocol SampleCovariance<Scalar>: AnyObject {
  associatedtype Scalar: KernelScalar
  /// n, m and k.
  var samples: Int { get }
  var neurons: Int { get }
  var rank: Int { get }
  var bytes: Int { get }
  /// Replaces row s of z (n,m) by A_s times it.
  func apply(_ z: inout Matrix<Scalar>)
  /// The diagonal of every A_s, into weights (n,m).
  func diagonal(into weights: inout Matrix<Scalar>) throws(FisherError)
  /// Row s of p (n,k) = B_sᵀ times row s of z (n,m), which may be overwritten.
  func applyRootTransposed(_ p: inout Matrix<Scalar>, _ z: inout Matrix<Scalar>)
  /// Row s of z (n,m) = B_s times row s of p (n,k).
  func applyRoot(_ z: inout Matrix<Scalar>, _ p: borrowing Matrix<Scalar>)
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
  public func fill(_ matrix: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>) throws(FisherError) -> Bool {
    false
  }

  public func multiply(
    _ product: inout Matrix<Scalar>, inputs: borrowing Matrix<Scalar>, vectors: borrowing Matrix<Scalar>
  ) -> Bool { false }

  /// Column j of every A_s, into weights (n,m): entry (s, i) is that of A_s at (i, j).
  func column(_ j: Int, into weights: inout Matrix<Scalar>) {
    weights.setToZero()
    weights.fill(column: j, with: 1)
    apply(&weights)
  }
}
