/// The one table of how far a kernel may be from the reference, as a relative error.
///
/// An entry is in units of the unit roundoff. Sums grow with the root of the number of their terms, as rounding errors
/// of independent sign do. What the error is relative to is said by the comparison: the element itself (`elementwise`)
/// or the largest of them (`normwise`).
public enum Tolerance: Sendable {
  /// Elementwise, times the condition number of the activation at z.
  case activation
  /// Elementwise.
  case softmax
  /// Normwise in delta, elementwise in loss.
  case crossEntropy
  /// Normwise by block.
  case gram
  /// Normwise: L L^T against the damped block.
  case factor
  /// A normwise backward error.
  case solve
  /// Normwise: A A^-1 - I, or A^-1; times the condition number.
  case inverse
  /// Normwise.
  case product
  /// Normwise: eq 10, dense or times a vector.
  case softmaxBlock
  /// Normwise in magnitude of the operands: eq 12 times a vector.
  case twoLayer
  /// Elementwise in magnitude of the operands.
  case update
  /// Elementwise in magnitude of the operands: sums of up to 128 terms at a time.
  case batchNorm

  private var units: Double {
    switch self {
    case .activation: 16
    case .softmax: 16
    case .crossEntropy: 16
    case .gram: 8
    case .factor: 8
    case .solve: 16
    case .inverse: 16
    case .product: 8
    case .softmaxBlock: 32
    case .twoLayer: 8
    case .update: 8
    case .batchNorm: 16
    }
  }

  /// The relative error allowed to a result that is a sum of `terms` products.
  public func relative(_ precision: Reference.Precision, terms: Int = 1) -> Double {
    units * precision.unitRoundoff * Double(max(terms, 1)).squareRoot()
  }
}
