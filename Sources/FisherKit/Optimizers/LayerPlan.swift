/// How the matrix of one layer is held.
public struct LayerPlan: Equatable, Sendable {
  /// The parameter's name.
  public var name: String
  public var estimate: CurvatureEstimate
  /// What it holds now.
  public var bytes: Int
}
