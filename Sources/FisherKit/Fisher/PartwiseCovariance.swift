/// The A_s of a coupling that knows no more than double precision, applied to the high and the low parts of numbers of twice
/// that: what the A_s themselves lose is theirs, and all else of a residual is as exact as elsewhere.
final class PartwiseCovariance: TwofoldCovariance {
  private let covariance: any SampleCovariance<Double>
  private var high: Matrix<Double>
  private var low: Matrix<Double>

  init(_ covariance: any SampleCovariance<Double>) throws(FisherError) {
    self.covariance = covariance
    let what = "pre-activations of \(covariance.samples) samples in parts"
    high = try Matrix(rows: covariance.samples, columns: covariance.neurons, what: what)
    low = try Matrix(rows: covariance.samples, columns: covariance.neurons, what: what)
  }

  func apply(_ z: inout TwofoldMatrix) {
    for s in 0..<high.rows {
      for i in 0..<high.columns { (high[s, i], low[s, i]) = (z[s, i].high, z[s, i].low) }
    }
    covariance.apply(&high)
    covariance.apply(&low)
    for s in 0..<high.rows {
      for i in 0..<high.columns { z[s, i] = Twofold(high[s, i]) + Twofold(low[s, i]) }
    }
  }

  func diagonal(into weights: inout Matrix<Double>) throws(FisherError) { try covariance.diagonal(into: &weights) }
}
