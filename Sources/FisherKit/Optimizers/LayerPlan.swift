/// How the matrix of one layer is held.
public struct LayerPlan: Equatable, Sendable {
  /// The parameter's name.
  public var name: String
  public var estimate: CurvatureEstimate
  /// What it holds, with the most that a refresh makes beside it: the estimate's, which was known before.
  public var bytes: Int
}
