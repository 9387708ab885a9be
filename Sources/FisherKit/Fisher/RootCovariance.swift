/// A_s = B_sB_sᵀ from roots B_s (m,k) that are given: the coupling of a subsystem of one's own.
///
/// Memory: the roots, nkm elements. Cost of a product: 4nmk flops.
public final class RootCovariance<Scalar: KernelScalar>: SampleCovariance {
  private let roots: Matrix<Scalar>
  public let samples: Int
  public let rank: Int

  /// - Parameter roots: the columns of B_s, each a row of m, at rows s·k ..< (s + 1)·k of (nk, m).
  /// - Throws: `invalidArgument` where the rows are not k for each of n ≥ 1 samples.
  public init(roots: consuming Matrix<Scalar>, samples n: Int) throws(FisherError) {
    guard n > 0, roots.rows % n == 0, roots.rows > 0 else {
      throw .invalidArgument(what: "roots", expected: "as many rows for each of \(n) samples", found: "\(roots.rows)")
    }
    samples = n
    rank = roots.rows / n
    self.roots = roots
  }

  public var neurons: Int { roots.columns }
  public var bytes: Int { roots.bytes }

  public func apply(_ z: inout Matrix<Scalar>) {
    for s in 0..<samples {
      var sums = [Double](repeating: 0, count: neurons)
      for k in 0..<rank {
        let row = s * rank + k
        var dot = 0.0
        for i in 0..<neurons { dot += Double(roots[row, i]) * Double(z[s, i]) }
        for i in 0..<neurons { sums[i] += Double(roots[row, i]) * dot }
      }
      for i in 0..<neurons { z[s, i] = Scalar(sums[i]) }
    }
  }

  public func diagonal(into weights: inout Matrix<Scalar>) {
    for s in 0..<samples {
      for i in 0..<neurons {
        var sum = 0.0
        for k in 0..<rank { sum += Double(roots[s * rank + k, i]) * Double(roots[s * rank + k, i]) }
        weights[s, i] = Scalar(sum)
      }
    }
  }

  public func applyRootTransposed(_ p: inout Matrix<Scalar>, _ z: inout Matrix<Scalar>) {
    for s in 0..<samples {
      for k in 0..<rank {
        var dot = 0.0
        for i in 0..<neurons { dot += Double(roots[s * rank + k, i]) * Double(z[s, i]) }
        p[s, k] = Scalar(dot)
      }
    }
  }

  public func applyRoot(_ z: inout Matrix<Scalar>, _ p: borrowing Matrix<Scalar>) {
    for s in 0..<samples {
      for i in 0..<neurons {
        var sum = 0.0
        for k in 0..<rank { sum += Double(roots[s * rank + k, i]) * Double(p[s, k]) }
        z[s, i] = Scalar(sum)
      }
    }
  }

  public func root(_ root: inout Matrix<Scalar>) { root.copy(from: roots) }
}
