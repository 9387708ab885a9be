import Foundation

/// How far a metric's direction is from the exact one.
public struct StepAccuracy: Equatable, Sendable {
  /// The angle between them, in degrees.
  public var angle: Double
  /// ‖δ − δ_exact‖/‖δ_exact‖
  public var relativeError: Double
}

extension Metric {
  /// How far the direction that this metric gives to a gradient is from (Ĝ + λI)⁻¹g with the exact matrix of the same
  /// samples: those of X̃ (n,d) and z (n,m), of which the metric takes its own window.
  ///
  /// Memory: that of the metric's curvature and of the exact matrix, or of conjugate gradients where that is too large.
  /// Cost: a refresh and a step of both.
  public func stepAccuracy<S: KernelScalar>(
    of subsystem: any Subsystem, inputs x: borrowing Matrix<S>, preactivations z: borrowing Matrix<S>,
    gradient: borrowing Matrix<S>, damping: Double
  ) throws(FisherError) -> StepAccuracy {
    demand(gradient.rows == z.columns && gradient.columns == x.columns, "a gradient of another shape")
    try require(damping > 0 && damping <= 1e30, "damping", expected: "a positive number", found: damping)
    let curvature = try makeCurvature(
      for: CurvatureSite<S>(
        Site(name: "layer", neurons: z.columns, order: x.columns, subsystem: subsystem), batchSize: x.rows,
        refreshInterval: 1, damping: .absolute(damping)))
    var found = try Matrix<S>(rows: gradient.rows, columns: gradient.columns, what: "direction")
    found.copy(from: gradient)
    // (a subspace follows the samples from refresh to refresh)
    for _ in 1...2 {
      try curvature.observe(inputs: x, preactivations: z)
      try curvature.refresh()
    }
    try curvature.precondition(&found)
    var exact = try Matrix<S>(rows: gradient.rows, columns: gradient.columns, what: "exact direction")
    exact.copy(from: gradient)
    try subsystem.rfim(inputs: x, preactivations: z).solve(&exact, damping: damping)
    let (aa, bb, ab) = (found.dot(found), exact.dot(exact), found.dot(exact))
    guard aa > 0, bb > 0 else { return StepAccuracy(angle: 0, relativeError: aa > 0 ? .infinity : 0) }
    let cosine = max(-1, min(1, ab / (aa * bb).squareRoot()))
    return StepAccuracy(
      angle: acos(cosine) * 180 / .pi, relativeError: (max(0, aa + bb - 2 * ab) / bb).squareRoot())
  }
}
