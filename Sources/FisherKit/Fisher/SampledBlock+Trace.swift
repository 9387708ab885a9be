extension SampledBlock {
  /// tr Ĝ = (1/n) Σ_s tr A_s ‖x̃_s‖². Cost 2nd flops and those of the A_s' diagonals.
  public func trace() throws(FisherError) -> Double {
    var weights = try Matrix<Scalar>(rows: samples, columns: neurons, what: "weights of the diagonal blocks")
    try inTurn { () throws(FisherError) in try covariance.diagonal(into: &weights) }
    var squares = [Double](repeating: 0, count: samples)
    observations.inputs.rowDots(observations.inputs, into: &squares)
    var sum = 0.0
    for s in 0..<samples { for i in 0..<neurons { sum += Double(weights[s, i]) * squares[s] } }
    return sum / Double(samples)
  }
}
