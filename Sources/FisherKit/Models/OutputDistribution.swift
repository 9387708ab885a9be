/// What a model says of targets by its outputs z: the distribution that a built-in loss judges them by.
public enum OutputDistribution: Equatable, Sendable {
  /// One of several classes, with probabilities softmax(z): ``SoftmaxCrossEntropy``.
  case categorical
  /// Independent labels that apply or not, with probabilities σ(z): ``BernoulliCrossEntropy``.
  case bernoulli
  /// Normal numbers with means z and this standard deviation: ``SquaredError``.
  case normal(sigma: Double)

  /// - Returns: `nil` for a loss of a user's own.
  public init?(_ loss: any Loss) {
    switch loss {
    case is SoftmaxCrossEntropy: self = .categorical
    case is BernoulliCrossEntropy: self = .bernoulli
    case let loss as SquaredError: self = .normal(sigma: loss.sigma)
    default: return nil
    }
  }

  /// That of a network whose last layer is linear, by the subsystem which that is measured as.
  init?<Scalar: KernelScalar>(of model: Sequential<Scalar>) {
    guard let last = model.layers.last as? Dense<Scalar>, last.activation is Linear else { return nil }
    switch last.weights.subsystem {
    case is SoftmaxLayer: self = .categorical
    case let layer as NonlinearLayer where layer.activation is Sigm: self = .bernoulli
    case let layer as LinearLayer: self = .normal(sigma: layer.sigma)
    default: return nil
    }
  }

  /// The loss that judges by it.
  /// - Throws: `invalidArgument` for a standard deviation that is none.
  public func loss() throws(FisherError) -> any Loss {
    switch self {
    case .categorical: SoftmaxCrossEntropy()
    case .bernoulli: BernoulliCrossEntropy()
    case .normal(let sigma): try SquaredError(sigma: sigma)
    }
  }

  /// Its mean for outputs z (n, m): probabilities, or the numbers themselves.
  public func means<S: KernelScalar>(_ means: inout Matrix<S>, of z: borrowing Matrix<S>) {
    switch self {
    case .categorical: means.setToSoftmax(of: z)
    case .bernoulli: Sigm().values(&means, of: z)
    case .normal: means.copy(from: z)
    }
  }
}

/// The same as files have it. A model without one is of classes.
struct OutputRecord: Codable, Equatable {
  private enum Kind {
    static let bernoulli = "bernoulli"
    static let normal = "normal"
  }

  var kind: String
  /// Of normal numbers.
  var sigma: Double?

  init?(_ distribution: OutputDistribution) {
    switch distribution {
    case .categorical: return nil
    case .bernoulli: kind = Kind.bernoulli
    case .normal(let sigma): (kind, self.sigma) = (Kind.normal, sigma)
    }
  }

  func distribution(place: String) throws(DataError) -> OutputDistribution {
    switch (kind, sigma) {
    case (Kind.bernoulli, nil): return .bernoulli
    case (Kind.normal, let sigma?):
      guard (try? LinearLayer(sigma: sigma)) != nil else {
        throw DataError(place, expected: "a σ that outputs can have", found: "\(sigma)")
      }
      return .normal(sigma: sigma)
    default:
      throw DataError(
        place, expected: "outputs that are known (\(Kind.bernoulli), or \(Kind.normal) with a sigma)",
        found: shortText(kind))
    }
  }
}
