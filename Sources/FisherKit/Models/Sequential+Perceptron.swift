extension Sequential {
  /// A multi-layer perceptron with a softmax on top, such as 784-80-80-80-10: ``Dense`` layers with one activation, the
  /// last one linear with the ``SoftmaxLayer`` subsystem. Weights start Glorot-uniform, by `seed`.
  ///
  /// - Parameters:
  ///   - shape: the widths, inputs first and classes last, at least two.
  ///   - metricActivation: whose ν the metric uses; by default the activation's ``Activation/metricForm``.
  public static func perceptron(
    shape: [Int], activation: any Activation, metricActivation: (any Activation)? = nil, batchCapacity: Int,
    seed: UInt64 = 0
  ) throws(FisherError) -> Sequential {
    precondition(shape.count >= 2, "a network has inputs and outputs")
    var generator = SeededGenerator(seed: seed, stream: .initialisation)
    var layers: [any Layer<Scalar>] = []
    for index in 1..<shape.count {
      let isLast = index == shape.count - 1
      let subsystem: any Subsystem =
        isLast ? SoftmaxLayer() : NonlinearLayer(metricActivation ?? activation.metricForm)
      layers.append(
        try Dense<Scalar>(
          inputs: shape[index - 1], outputs: shape[index], activation: isLast ? Linear() : activation,
          subsystem: subsystem, name: "layer \(index)", using: &generator))
    }
    return try Sequential(layers, batchCapacity: batchCapacity)
  }
}
