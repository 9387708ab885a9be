extension Sequential {
  /// A multi-layer perceptron, such as 784-80-80-80-10: ``Dense`` layers with one activation, the last one linear and
  /// measured by what the loss makes of its outputs. Weights start Glorot-uniform, by `seed`.
  ///
  /// - Parameters:
  ///   - shape: the widths, inputs first and classes last, at least two.
  ///   - loss: what it is going to be trained by; by default softmax and cross-entropy.
  ///   - metricActivation: whose ν the metric uses; by default the activation's ``Activation/metricForm``.
  ///   - batchNormalization: with it, a ``BatchNormalization`` follows each layer but the last one, behind its activation.
  public static func perceptron(
    shape: [Int], activation: any Activation, metricActivation: (any Activation)? = nil,
    batchNormalization: BatchNormalizationOptions? = nil, loss: any Loss = SoftmaxCrossEntropy(),
    batchCapacity: Int, seed: UInt64 = 0
  ) throws(FisherError) -> Sequential {
    demand(shape.count >= 2, "a network has inputs and outputs")
    var generator = SeededGenerator(seed: seed, stream: .initialisation)
    var layers: [any Layer<Scalar>] = []
    for index in 1..<shape.count {
      let isLast = index == shape.count - 1
      let subsystem: any Subsystem =
        isLast ? loss.outputSubsystem : NonlinearLayer(metricActivation ?? activation.metricForm)
      layers.append(
        try Dense<Scalar>(
          inputs: shape[index - 1], outputs: shape[index], activation: isLast ? Linear() : activation,
          subsystem: subsystem, name: "layer \(index)", using: &generator))
      if !isLast, let batchNormalization {
        layers.append(
          try BatchNormalization<Scalar>(
            channels: shape[index], decay: batchNormalization.decay, epsilon: batchNormalization.epsilon,
            subsystem: batchNormalization.hasBlocks ? BatchNorm() : nil,
            name: "layer \(index): batch normalisation"))
      }
    }
    return try Sequential(layers, batchCapacity: batchCapacity)
  }
}

/// The batch normalisations of a network: what all of its ``BatchNormalization`` layers have in common.
public struct BatchNormalizationOptions: Equatable, Sendable {
  /// What a mini-batch leaves of the running averages, in [0, 1).
  public var decay: Double
  /// Added to variances.
  public var epsilon: Double
  /// Whether a natural gradient measures γ and β by 2×2 blocks, ``BatchNorm``, and does not take the plain gradient.
  public var hasBlocks: Bool

  public init(decay: Double = 0.99, epsilon: Double = 1e-3, hasBlocks: Bool = false) {
    self.decay = decay
    self.epsilon = epsilon
    self.hasBlocks = hasBlocks
  }
}
