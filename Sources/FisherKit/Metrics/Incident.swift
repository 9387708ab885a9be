/// Something went wrong in training and was survived: where, and what was done about it.
public struct Incident: Equatable, Sendable {
  /// What was done, from the mildest on: the rungs of the ladder that a block goes down when it cannot be factored, and
  /// what is done about a mini-batch and about weights.
  public enum Remedy: String, CaseIterable, Sendable {
    /// The block was factored with more damping than it was to have.
    case raisedDamping = "raised damping"
    /// The block was formed and factored in double precision.
    case doublePrecision = "double precision"
    /// The block of the refresh before stayed in use.
    case lastGoodBlock = "last good block"
    /// The block's diagonal took its place.
    case diagonal
    /// The neuron, or the layer, takes plain gradients until the next refresh.
    case plainGradient = "plain gradient"
    /// Samples with a NaN or an infinity in X̃ or z were left out of the matrix, or weights ν that are none counted as 0.
    case samplesLeftOut = "samples left out"
    /// A mini-batch with a NaN or an infinity in its loss or its gradients was left out.
    case batchLeftOut = "batch left out"
    /// The weights went back to the last good ones, and the learning rate was halved.
    case wentBack = "went back"
  }

  /// Counted from 1 over all epochs; 0 until an optimizer or a trainer has said.
  public var step: Int
  /// The parameter's name, or what was not a number.
  public var layer: String
  /// From 0; `nil` where the layer as a whole, or no layer, is meant.
  public var neuron: Int?
  public var remedy: Remedy
  /// The damping that was used, of a raised one; the learning rate from here on, of weights that went back.
  public var damping: Double?
  public var learningRate: Double?

  public init(
    step: Int = 0, layer: String, neuron: Int? = nil, remedy: Remedy, damping: Double? = nil,
    learningRate: Double? = nil
  ) {
    self.step = step
    self.layer = layer
    self.neuron = neuron
    self.remedy = remedy
    self.damping = damping
    self.learningRate = learningRate
  }
}

extension Incident: CustomStringConvertible {
  public var description: String {
    let place = neuron.map { "\(layer), neuron \($0)" } ?? layer
    let more = damping.map { ", \($0)" } ?? learningRate.map { ", learning rate \($0) from here on" } ?? ""
    return "step \(step): \(place): \(remedy.rawValue)\(more)"
  }
}

/// What a step's curvatures report, until the optimizer takes it. It allocates only where something went wrong.
final class IncidentLog {
  private var incidents: [Incident] = []
  /// Lets tests break what they choose; see ``FaultSource``.
  var faults: (any FaultSource)?

  func add(_ incident: Incident) { incidents.append(incident) }

  /// All since the last call, as of this step.
  func take(step: Int) -> [Incident] {
    if incidents.isEmpty { return [] }
    defer { incidents = [] }
    return incidents.map {
      var incident = $0
      incident.step = step
      return incident
    }
  }
}

/// Breaks factorisations on purpose, to see that a run survives.
package protocol FaultSource: AnyObject {
  /// Whether this attempt at a block fails: attempts of one refresh are counted from 0, raised dampings first, then double
  /// precision, the last good block, and the diagonal.
  func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool
}
