/// How far a step may go, subsystem by subsystem: by the Kullback-Leibler divergence, in nats a sample, that the step makes
/// in what the subsystem puts out. To second order that is ½γ²δᵀĜδ for a step −γδ; since (Ĝ + λI)δ = g it is bounded by
///
///     ½ γ² δᵀ(Ĝ + λI)δ = ½ γ² gᵀδ
///
/// which costs one inner product. A step beyond κ is scaled down to it.
///
/// The unit variance of a normal output (eq 8) is a choice of units. So that it decides nothing, κ is taken times the mean
/// square of the layer's pre-activations there: a step moves outputs by a share of what they are, in a deep network whose
/// signal has faded as in one whose features are in thousands. Probabilities have units of their own. Parameters without a
/// subsystem are measured by the identity, ½γ²‖g‖².
public struct TrustRegion: Equatable, Sendable, CustomStringConvertible {
  /// κ in nats; `nil` for the usual one, 0 for no bound.
  public var kappa: Double?
  /// Whether every subsystem moves by κ exactly, whatever the learning rate: shorter steps are scaled up too.
  public var isNormalized: Bool

  /// - Parameter kappa: from 0 up; `nil` for the usual one.
  public init(kappa: Double? = nil, isNormalized: Bool = false) {
    self.kappa = kappa
    self.isNormalized = isNormalized
  }

  /// κ = ``perSample`` · the mini-batch size, but no more than ``perModel`` shared among the model's parameters.
  public static var usual: TrustRegion { TrustRegion() }
  public static var off: TrustRegion { TrustRegion(kappa: 0) }

  /// What one sample may move a subsystem by, in nats. A gradient of b samples has noise of variance 1/b, and a step by
  /// noise alone makes a divergence in that proportion.
  public static let perSample = 4e-4
  /// What a step may move all subsystems by together: what layers do to each other's inputs adds up.
  public static let perModel = 0.08

  /// The least share of the step that goes furthest, in nats, that any subsystem's step is made to go, as long as it stays
  /// in the region. A gradient fades on its way down through many layers; a relative Fisher matrix, which knows nothing of
  /// what is above its subsystem, does not undo it.
  public static let leastShare = 0.03

  public var description: String {
    guard kappa != 0 else { return "off" }
    return (kappa.map { "\($0)" } ?? "usual") + (isNormalized ? ", normalised" : "")
  }

  func validate() throws(FisherError) {
    guard let kappa else { return }
    try require(kappa >= 0 && kappa <= 1e30, "trust region", expected: "a number from 0 to 1e30", found: kappa)
    guard !isNormalized || kappa > 0 else {
      throw .invalidArgument(what: "normalised trust region", expected: "a κ above 0", found: "\(kappa)")
    }
  }

  /// κ for mini-batches of this size, in a model of so many parameters.
  ///
  /// Gradients that are averaged with β have less noise to hold a step back by, and go the same way for 1/(1 − β) steps: what
  /// one sample may move is less by as much.
  public func kappa(batchSize: Int, parameters: Int, momentum share: Double = 0) -> Double {
    kappa ?? min(Self.perSample * (1 - share) * Double(batchSize), Self.perModel) / Double(max(1, parameters))
  }

  /// What the step γδ is multiplied by: 1, unless the region says otherwise.
  ///
  /// Where outputs are less than 1 by their root mean square, a step may be longer by as much, ``mostGain`` times at most:
  /// in a layer whose signal has faded the damping outweighs the matrix, and makes steps too short for anything to happen.
  ///
  /// - Parameters:
  ///   - product: gᵀδ, not negative; `outputScale`: the mean square of the pre-activations of normal outputs, else 1.
  ///   - most: the largest gᵀδ/outputScale of any subsystem, of which the step goes ``leastShare`` at least.
  func scale(rate: Double, product: Double, kappa: Double, outputScale: Double = 1, most: Double = 0) -> Double {
    let predicted = 0.5 * rate * rate * product
    guard kappa > 0, predicted > 0 else { return 1 }
    let scale = (kappa * outputScale / predicted).squareRoot()
    if isNormalized { return scale }
    let wanted = max(1, 1 / outputScale.squareRoot(), (Self.leastShare * most * outputScale / product).squareRoot())
    return min(scale, wanted, Self.mostGain)
  }

  private static let mostGain = 100.0
}
