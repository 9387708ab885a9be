/// What is added to the diagonal of each block of a Fisher matrix before it is inverted.
///
/// A number is an absolute damping λ, the paper's: `RNGD(damping: 0.005)`.
public struct Damping: Equatable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  /// What a damping's amount is a multiple of, for a block Ĝ_i of order d.
  public enum Unit: String, CaseIterable, Sendable {
    /// 1: the same number for every block.
    case absolute
    /// tr Ĝ_i / d, the mean diagonal.
    case relative
    /// tr Ĝ_i / √d, the Frobenius norm of a block with that trace if its eigenvalues are all alike, and a lower bound of it
    /// otherwise.
    case norm
  }

  /// λ itself, or ρ of one that goes by its block.
  public var amount: Double
  public var unit: Unit
  /// Whether it follows Levenberg and Marquardt: after a refresh all dampings fall to ⅔ where the step lowered its
  /// mini-batch's loss by more than ¾ of what the matrices foresaw, and rise to 3/2 where by less than ¼. See
  /// ``RNGD/note(loss:after:)``.
  public var isAdaptive: Bool

  /// By the norm, ρ = 0.016: what trained best from one setting over networks, mini-batches and data (Benchmarks/robustness).
  /// Shares of the mean diagonal do not transfer between widths: wide layers want more of it than narrow ones, whose
  /// eigenvalues are closer together.
  public static var usual: Damping { usual(.norm) }

  /// What does where nobody chooses more than the unit: of absolute ones the paper's λ.
  public static func usual(_ unit: Unit) -> Damping {
    switch unit {
    case .absolute: .absolute(0.005)
    case .relative: .relative(0.2)
    case .norm: .norm(0.016)
    }
  }

  private init(_ amount: Double, _ unit: Unit, isAdaptive: Bool = false) {
    self.amount = amount
    self.unit = unit
    self.isAdaptive = isAdaptive
  }

  public init(floatLiteral value: Double) { self = .absolute(value) }
  public init(integerLiteral value: Int) { self = .absolute(Double(value)) }

  /// λ ≥ 0, the same number for every block.
  public static func absolute(_ lambda: Double) -> Damping { Damping(lambda, .absolute) }
  /// λ_i = ρ · tr Ĝ_i / d with ρ ≥ 0: whatever the scale of a layer's inputs, and however many positions were summed.
  public static func relative(_ rho: Double) -> Damping { Damping(rho, .relative) }
  /// λ_i = ρ · tr Ĝ_i / √d with ρ ≥ 0.
  public static func norm(_ rho: Double) -> Damping { Damping(rho, .norm) }
  /// Levenberg-Marquardt from this damping on, between a hundredth of it and a hundred times as much.
  public static func adaptive(from start: Damping) -> Damping {
    Damping(start.amount, start.unit, isAdaptive: true)
  }

  public var description: String {
    "\(isAdaptive ? "adaptive from " : "")\(amount)\(unit == .absolute ? "" : " by \(unit)")"
  }

  func validate() throws(FisherError) {
    try require(amount >= 0 && amount <= 1e30, "damping", expected: "a number from 0 to 1e30", found: amount)
  }
}

/// The damping of one layer, which its optimizer may change between refreshes.
final class SiteDamping: State {
  let rule: Damping
  /// What Levenberg and Marquardt have made of the rule's amount.
  private(set) var factor = 1.0
  /// What a schedule makes of it.
  var scheduled = 1.0

  init(_ rule: Damping) { self.rule = rule }

  func visit(_ visitor: StateVisitor) throws { try visitor.visit("factor", &factor) }

  /// Takes the ratio of a step's reduction of the loss to what was foreseen.
  func adapt(to ratio: Double) {
    if ratio > 0.75 { factor = max(factor * 2 / 3, 0.01) }
    if !(ratio >= 0.25) { factor = min(factor * 1.5, 100) }
  }

  /// λ for a block of order d. It is never less than 16 units in the last place of the trace: what a factor of a worse
  /// condition says of small eigenvalues is noise. `layerMean`, the mean diagonal over the layer's blocks, keeps a damping
  /// that goes by its block from vanishing with a dead neuron's.
  func lambda(trace: Double, order: Int, layerMean: Double = 0, unit: Double) -> Double {
    guard trace.isFinite, trace >= 0 else { return rule.amount * factor * scheduled }
    let d = Double(max(order, 1))
    let mean = max(trace / d, 1e-3 * layerMean)
    let scale =
      switch rule.unit {
      case .absolute: 1.0
      case .relative: mean
      case .norm: mean * d.squareRoot()
      }
    return max(rule.amount * factor * scheduled * scale, 16 * unit * trace)
  }
}
