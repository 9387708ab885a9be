import FisherKit

/// A layer with positions, and what makes its Fisher matrix: a convolution with its weights, or a normalisation.
struct LayerSubsystem {
  private let options: SubsystemOptions
  private let x: NPYArray
  private let w: NPYArray?

  /// float64 in gives float64 out.
  var isDouble: Bool { x.isDouble || w?.isDouble ?? false }

  private var samples: Int { x.shape[0] }
  private var positions: Int { x.shape[1..<(x.shape.count - 1)].reduce(1, *) }
  private var channels: Int { x.shape[x.shape.count - 1] }

  init(_ options: SubsystemOptions) throws {
    self.options = options
    x = try NPYArray(path: options.inputs)
    let isConvolution = options.subsystem == .convolution
    guard x.shape.count <= 4, x.shape.count >= (isConvolution ? 3 : 2), x.shape.allSatisfy({ $0 > 0 }) else {
      let shapes = "(n, length, channels) or (n, height, width, channels)"
      throw DataError(
        options.inputs, expected: isConvolution ? "shape \(shapes)" : "shape (n, channels), \(shapes)",
        found: "\(x.shape)")
    }
    w = try options.weights.map { try NPYArray(path: $0, rank: 2) }
  }

  /// The matrices of its parts: one, or of a convolution in groups one for each.
  func rfims<S: KernelScalar>(_: S.Type) throws -> [any RFIM<S>] {
    let rows = NPYArray(shape: [samples * positions, channels], elements: x.elements, place: x.place)
    let input = Box(try Matrix<S>(npy: rows))
    let layer = try layer(S.self)
    try layer.prepare(batchCapacity: samples)
    let output = Box(
      try Matrix<S>(rows: samples * layer.outputExtent.positions, columns: layer.outputs, what: "outputs"))
    layer.forward(input.matrix, into: &output.matrix)
    var parts: [any RFIM<S>] = []
    let parameters = layer.parameters
    try layer.observe(input: input.matrix) { (index, observed) throws(FisherError) in
      guard let subsystem = parameters[index].subsystem else { return }
      guard observed.preactivations.isFinite else {
        throw .invalidArgument(
          what: "inputs and weights", expected: "products that a \(S.self) can hold", found: "one that it cannot")
      }
      // (as those of a dense layer are computed, and so the same to the last digit)
      guard layer is Convolution<S>, !(subsystem is DepthwiseLayer) else {
        return parts.append(try subsystem.rfim(observed))
      }
      let positions = observed.positions
      try observed.withInputs { (inputs) throws(FisherError) in
        let z = try Box<S>.product(inputs, parameters[index].value)
        try Observation.with(inputs: inputs, preactivations: z, positions: positions) { (whole) throws(FisherError) in
          parts.append(try subsystem.rfim(whole))
        }
      }
    }
    return parts
  }

  private func layer<S: KernelScalar>(_: S.Type) throws -> any Layer<S> {
    let (norm, positions, channels) = (options.window, positions, channels)
    switch options.subsystem {
    case .convolution: return try convolution(S.self)
    case .layerNorm:
      return try refusing {
        try LayerNormalization<S>(
          channels: channels, epsilon: norm.epsilon ?? 1e-5, subsystem: BatchNorm(), positions: positions)
      }
    case .rmsNorm:
      return try refusing {
        try RMSNormalization<S>(
          channels: channels, epsilon: norm.epsilon ?? 1e-5, subsystem: ScaleNorm(), positions: positions)
      }
    case .groupNorm:
      return try refusing {
        try GroupNormalization<S>(
          channels: channels, groups: norm.groups ?? 1, epsilon: norm.epsilon ?? 1e-5, subsystem: BatchNorm(),
          positions: positions)
      }
    case .batchNorm:
      return try refusing {
        try BatchNormalization<S>(
          channels: channels, epsilon: norm.epsilon ?? 1e-3, subsystem: BatchNorm(), positions: positions)
      }
    case .neuron, .layer, .softmax, .twoLayers: fatalError("\(options.subsystem) is no layer with positions")
    }
  }

  private func convolution<S: KernelScalar>(_: S.Type) throws -> any Layer<S> {
    guard let w, w.shape[0] > 0 else {
      throw DataError(w?.place ?? options.inputs, expected: "at least one output", found: "none")
    }
    let image = ImageWindow.Size(x.shape.count == 4 ? x.shape[1] : 1, x.shape[x.shape.count - 2])
    let shape = try refusing {
      try ConvolutionShape(
        options.window.window(over: image), channels: channels, outputs: w.shape[0], groups: options.window.groups ?? 1)
    }
    guard w.shape[1] == shape.order else {
      throw DataError(
        w.place,
        expected: "\(shape.order) columns, a window of \(channels / shape.groups) channels and the bias",
        found: "\(w.shape[1])")
    }
    let activation = try options.activation.metric
    var generator = SeededGenerator(seed: 0)
    let layer = try Convolution<S>(
      shape, activation: activation, subsystem: NonlinearLayer(activation), using: &generator)
    let all = try Matrix<S>(npy: w)
    var row = 0
    for parameter in layer.parameters {
      for i in 0..<parameter.neurons {
        for a in 0..<parameter.order { parameter.value[i, a] = all[row, a] }
        row += 1
      }
    }
    return layer
  }
}
