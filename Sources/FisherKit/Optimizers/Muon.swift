/// Muon (Jordan et al. 2024): steps of momentum whose matrices are orthogonalised,
///
///     M ← β M + (1 − β) G,   O = orthogonal factor of β M + (1 − β) G (Nesterov) or of M,   W ← W − γ s O − γ λ W,
///
/// so that all directions of a layer's output move alike. s goes by the shape: see ``Scale``. Biases, which are the last
/// column of a parameter, and parameters that are no matrices of weights (normalisations) take the steps of AdamW with a rate
/// of their own; leave other parameters to another optimizer by ``OptimizerGroups``.
public final class Muon<Scalar: KernelScalar>: Optimizer {
  /// What O is multiplied by, for W (m, inputs).
  public enum Scale: String, CaseIterable, Sendable {
    /// √max(1, m/inputs): Jordan's, which keeps the spectral norm of a step, from root mean square to root mean square, at γ.
    case spectral
    /// 0.2 √max(m, inputs): a root mean square of 0.2 γ in each weight, as Adam's steps have (Liu et al. 2025), whose rates and
    /// decays then do.
    case rootMeanSquare = "rms"

    func factor(neurons: Int, inputs: Int) -> Double {
      let (m, n) = (Double(neurons), Double(max(1, inputs)))
      return switch self {
      case .spectral: max(1, m / n).squareRoot()
      case .rootMeanSquare: 0.2 * max(m, n).squareRoot()
      }
    }
  }

  public var learningRate: Double
  /// β
  public private(set) var momentum: Double
  public let isNesterov: Bool
  public let scale: Scale
  public let decay: WeightDecay
  public let precision: MuonPrecision
  /// Of what AdamW has, as a share of ``learningRate``, which schedules and recoveries change.
  public let restShare: Double
  private let firstMomentum: Double
  private var matrices: [MuonMatrix<Scalar>?] = []
  private var rest: [AdamPart<Scalar>] = []
  private var factors: NewtonSchulz<Scalar>?
  private var steps = 0
  private var profile: StepProfile?

  /// - Parameters:
  ///   - momentum: in [0, 1).
  ///   - restLearningRate: of the steps of AdamW, which have β 0.9 and 0.999, and the same decay.
  ///   - precision: of the products of the iteration; `bfloat16` is refused by ``prepare(for:batches:)`` where it cannot be.
  public init(
    learningRate: Double = Muon.usualLearningRate, momentum: Double = 0.95, isNesterov: Bool = true,
    scale: Scale = .spectral, restLearningRate: Double = Muon.usualRestLearningRate, decay: WeightDecay = .none,
    precision: MuonPrecision = .full
  ) throws(FisherError) {
    try requireStep(learningRate: learningRate, decay: decay)
    try requireShare(momentum, "momentum")
    try requireStep(learningRate: restLearningRate, decay: decay)
    (self.learningRate, self.momentum, self.isNesterov) = (learningRate, momentum, isNesterov)
    (self.scale, self.decay, self.precision, firstMomentum) = (scale, decay, precision, momentum)
    restShare = restLearningRate / learningRate
  }

  public static var usualLearningRate: Double { 0.02 }
  public static var usualRestLearningRate: Double { 0.003 }

  public var name: String { "muon" }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] {
    [
      "momentum": "\(firstMomentum)", "Nesterov": "\(isNesterov)", "scale": scale.rawValue,
      "share of the rest": "\(restShare)", "decay": "\(decay)",
      "precision": precision.rawValue,
    ]
  }

  public func value(of number: OptimizerNumber) -> Double? {
    switch number {
    case .learningRate: learningRate
    case .momentum: momentum
    case .damping, .trustRegion: nil
    }
  }

  public func set(_ number: OptimizerNumber, to value: Double) {
    if number == .learningRate { learningRate = value }
    if number == .momentum { momentum = value }
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("learning rate", &learningRate)
    try visitor.visit("steps", &steps, in: 0...(.max))
    for (index, matrix) in matrices.enumerated() {
      if let matrix { try visitor.child("matrix \(index)", matrix) }
    }
    for (index, part) in rest.enumerated() { try visitor.child("rest \(index)", part) }
    if let factors { try visitor.child("factors", factors) }
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    (matrices, rest, steps) = ([], [], 0)
    var shapes: [(rows: Int, columns: Int)] = []
    for parameter in model.parameters {
      // (a scale and a shift for each channel are no matrix)
      let matrix = parameter.isDecayed && parameter.order > 1 ? try MuonMatrix(parameter, index: shapes.count) : nil
      matrices.append(matrix)
      rest.append(try AdamPart(parameter, onlyBiases: matrix != nil))
      if matrix != nil { shapes.append((parameter.neurons, parameter.order - 1)) }
    }
    factors = try NewtonSchulz(shapes: shapes, precision: precision)
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    demand(rest.count == parameters.count, "prepare the optimizer for this model first")
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    let rate = learningRate * restShare
    for i in parameters.indices {
      parameters[i].addCoupled(decay)
      rest[i].take(steps: steps)
    }
    if let factors {
      profile.measure(.precondition, factors.work) {
        for i in matrices.indices {
          matrices[i]?.takeMean(momentum: momentum, isNesterov: isNesterov)
          matrices[i]?.place(in: factors)
        }
        factors.orthogonalize()
      }
    }
    profile.measure(.update, model.updateWork) {
      for i in parameters.indices {
        rest[i].descend(rate: rate, decay: decay)
        guard matrices[i] != nil else { continue }
        let parameter = parameters[i]
        let amount = learningRate * decay.decoupled(of: parameter)
        if amount > 0 { parameter.value.scaleWeights(by: 1 - amount) }
        let factor = scale.factor(neurons: parameter.neurons, inputs: parameter.order - 1)
        parameter.value.descend(parameter.gradient, rate: learningRate * factor)
      }
    }
    return []
  }

  public func measure(by profile: StepProfile?) -> Bool {
    self.profile = profile
    return true
  }

  public func restart() {
    steps = 0
    for matrix in matrices { matrix?.restart() }
    for part in rest { part.restart() }
  }
}

/// The weights of one parameter, its biases left out.
private final class MuonMatrix<Scalar: KernelScalar>: State {
  private let parameter: Parameter<Scalar>
  private let index: Int
  private var mean: Matrix<Scalar>

  init(_ parameter: Parameter<Scalar>, index: Int) throws(FisherError) {
    (self.parameter, self.index) = (parameter, index)
    mean = try Matrix(rows: parameter.neurons, columns: parameter.order, what: "\(parameter.name): mean of gradients")
  }

  func visit(_ visitor: StateVisitor) throws { try visitor.visit("mean of gradients", &mean) }

  /// The gradient becomes what is orthogonalised, with zeros for biases.
  func takeMean(momentum: Double, isNesterov: Bool) {
    parameter.gradient.fill(column: parameter.order - 1, with: 0)
    mean.blend(
      &parameter.gradient,
      RunningShares(
        keep: momentum, take: 1 - momentum, mean: isNesterov ? momentum : 1, rest: isNesterov ? 1 - momentum : 0))
  }

  func place(in factors: NewtonSchulz<Scalar>) { factors.place(&parameter.gradient, at: index) }

  func restart() { mean.setToZero() }
}
