/// What is added to the diagonal of each block of a Fisher matrix before it is inverted.
///
/// A number is an absolute damping λ, the paper's: `RNGD(damping: 0.005)`.
public struct Damping: Equatable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  /// λ itself, or ρ of a relative damping.
  public var amount: Double
  /// Whether it is ρ in λ_i = ρ · tr Ĝ_i / d, the same share of every block's mean diagonal.
  public var isRelative: Bool
  /// Whether it follows Levenberg and Marquardt: after a refresh all dampings fall to ⅔ where the step lowered its
  /// mini-batch's loss by more than ¾ of what the matrices foresaw, and rise to 3/2 where by less than ¼. See
  /// ``RNGD/note(loss:after:)``.
  public var isAdaptive: Bool

  /// A fifth of each block's mean diagonal: of absolute, relative and adaptive ones what trained best from the same
  /// setting over networks, mini-batches and data (Benchmarks/robustness).
  public static var usual: Damping { .relative(0.2) }

  private init(_ amount: Double, isRelative: Bool, isAdaptive: Bool) {
    self.amount = amount
    self.isRelative = isRelative
    self.isAdaptive = isAdaptive
  }

  public init(floatLiteral value: Double) { self = .absolute(value) }
  public init(integerLiteral value: Int) { self = .absolute(Double(value)) }

  /// λ ≥ 0, the same number for every block.
  public static func absolute(_ lambda: Double) -> Damping { Damping(lambda, isRelative: false, isAdaptive: false) }
  /// λ_i = ρ · tr Ĝ_i / d with ρ ≥ 0: whatever the scale of a layer's inputs, and however many positions were summed.
  public static func relative(_ rho: Double) -> Damping { Damping(rho, isRelative: true, isAdaptive: false) }
  /// Levenberg-Marquardt from this damping on, between a hundredth of it and a hundred times as much.
  public static func adaptive(from start: Damping) -> Damping {
    Damping(start.amount, isRelative: start.isRelative, isAdaptive: true)
  }

  public var description: String { "\(isAdaptive ? "adaptive from " : "")\(amount)\(isRelative ? " relative" : "")" }

  func validate() throws(FisherError) {
    try require(amount >= 0 && amount <= 1e30, "damping", expected: "a number from 0 to 1e30", found: amount)
  }
}

/// The damping of one layer, which its optimizer may change between refreshes.
final class SiteDamping {
  let rule: Damping
  /// What Levenberg and Marquardt have made of the rule's amount.
  private(set) var factor = 1.0

  init(_ rule: Damping) { self.rule = rule }

  /// Takes the ratio of a step's reduction of the loss to what was foreseen.
  func adapt(to ratio: Double) {
    if ratio > 0.75 { factor = max(factor * 2 / 3, 0.01) }
    if !(ratio >= 0.25) { factor = min(factor * 1.5, 100) }
  }

  /// λ for a block of order d. It is never less than 16 units in the last place of the trace: what a factor of a worse
  /// condition says of small eigenvalues is noise. `layerMean`, the mean diagonal over the layer's blocks, keeps a
  /// relative damping from vanishing with a dead neuron's block.
  func lambda(trace: Double, order: Int, layerMean: Double = 0, unit: Double) -> Double {
    guard trace.isFinite, trace >= 0 else { return rule.amount * factor }
    let mean = max(trace / Double(max(order, 1)), 1e-3 * layerMean)
    return max(rule.amount * factor * (rule.isRelative ? mean : 1), 16 * unit * trace)
  }
}
