/// A convolution, f(W p̃) for each patch p̃ of its inputs; in one dimension of a series, and in groups, as its shape says.
///
/// Each position is a subsystem with one W, as in ``Observation``: the matrix of channel i is Σ_t ν(z_it) p̃_t p̃_tᵀ over a
/// sample's positions. Groups have other patches, and so matrices of their own: each is a parameter.
///
/// Cost of a mini-batch of n samples: 2 n positions outputs d flops forward, twice that backward. Memory: pre-activations, and
/// a tile of patches for each thread; never those of all positions.
public final class Convolution<Scalar: KernelScalar>: Layer {
  public let shape: ConvolutionShape
  /// Whether a sample comes as one row of height · width · channels features, as data sets have it, the channels of a
  /// position behind each other.
  public let takesFeatures: Bool
  public let activation: any Activation
  public let name: String
  /// One for each group.
  public let parameters: [Parameter<Scalar>]
  private var preactivations: Matrix<Scalar>
  private let workspace: ConvolutionWorkspace<Scalar>
  /// Patches of what: those of a depthwise convolution have all channels.
  private let observedShape: ConvolutionShape
  /// W and ∂L/∂W of all groups, one below the other, where there are some.
  var weights: Matrix<Scalar>
  private var gradient: Matrix<Scalar>
  /// The pre-activations of one of them.
  private var ofGroup: Matrix<Scalar>

  /// A layer with Glorot-uniform weights and zero biases.
  ///
  /// - Parameters:
  ///   - activation: f, run forward and backward.
  ///   - subsystem: what its relative Fisher matrix is; by default that of a non-linear layer with the activation's
  ///     ``Activation/metricForm``.
  ///   - isMeasured: `false` leaves it without, to the plain gradient or to another optimizer.
  /// - Throws: `sizeOverflow` or `outOfMemory`.
  public init(
    _ shape: ConvolutionShape, takesFeatures: Bool = false, activation: any Activation,
    subsystem: (any Subsystem)? = nil, isMeasured: Bool = true, name: String = "convolution",
    using generator: inout SeededGenerator
  ) throws(FisherError) {
    (self.shape, self.takesFeatures, self.activation, self.name) = (shape, takesFeatures, activation, name)
    observedShape =
      shape.isDepthwise
      ? try ConvolutionShape(shape.window, channels: shape.channels, outputs: shape.outputs) : shape
    let positions = shape.window.outputs.count
    var parameters: [Parameter<Scalar>] = []
    let own = subsystem ?? NonlinearLayer(activation.metricForm)
    for group in 0..<(shape.isDepthwise ? 1 : shape.groups) {
      let parameter = try Parameter<Scalar>(
        name: shape.groups == 1 || shape.isDepthwise ? name : "\(name), group \(group + 1)",
        neurons: shape.isDepthwise ? shape.outputs : shape.outputs / shape.groups, order: shape.order,
        subsystem: !isMeasured ? nil : shape.isDepthwise ? DepthwiseLayer(own) : own, positions: positions,
        hasPatches: true)
      // (fans as a dense layer has them: what a neuron sees, and what sees an input)
      let fan = shape.window.kernel.count * (shape.outputs / shape.groups)
      parameter.startGlorotUniform(fanOut: fan, using: &generator)
      parameters.append(parameter)
    }
    self.parameters = parameters
    preactivations = try Matrix(rows: 0, columns: shape.outputs)
    workspace = try ConvolutionWorkspace(shape, name: name)
    let isGrouped = parameters.count > 1
    weights = try Matrix(rows: isGrouped ? shape.outputs : 0, columns: shape.order, what: "\(name): weights")
    gradient = try Matrix(rows: isGrouped ? shape.outputs : 0, columns: shape.order, what: "\(name): gradient")
    ofGroup = try Matrix(rows: 0, columns: parameters[0].neurons)
  }

  public var inputExtent: Extent {
    takesFeatures ? Extent(channels: shape.window.image.count * shape.channels) : shape.inputExtent
  }
  public var outputExtent: Extent { shape.outputExtent }
  /// Patches have theirs.
  public var takesBias: Bool { false }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["shape": "\(shape)"] }

  public func visit(_ visitor: StateVisitor) throws {
    for parameter in parameters { try visitor.child(parameter.name, parameter) }
    visitor.scratch("pre-activations", preactivations)
    visitor.scratch("work space", bytes: workspace.bytes)
    visitor.scratch("weights of all groups", weights)
    visitor.scratch("gradient of all groups", gradient)
    visitor.scratch("pre-activations of a group", ofGroup)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "\(parameters[0].name): pre-activations"
    preactivations = try Matrix(
      rows: try outputExtent.rows(samples: capacity, what), columns: shape.outputs, what: what)
    if parameters.count > 1 {
      ofGroup = try Matrix(
        rows: try outputExtent.rows(samples: capacity, what), columns: parameters[0].neurons, what: what)
    }
  }

  func gatherWeights() {
    for group in parameters.indices {
      let count = parameters[group].neurons
      for i in 0..<count { weights.copyRow(i, of: parameters[group].value, to: group * count + i) }
    }
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    let samples = takesFeatures ? input.rows : input.rows / shape.window.image.count
    preactivations.resize(rows: samples * shape.window.outputs.count)
    if parameters.count == 1 {
      preactivations.setToConvolution(
        of: input, ofFeatures: takesFeatures, weights: parameters[0].value, shape, workspace)
    } else {
      gatherWeights()
      preactivations.setToConvolution(of: input, ofFeatures: takesFeatures, weights: weights, shape, workspace)
    }
    output.resize(rows: preactivations.rows)
    activation.values(&output, of: preactivations)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    activation.backward(&delta, of: preactivations)
    if parameters.count == 1 {
      parameters[0].gradient.setToConvolutionGradient(
        delta: delta, images: input, ofFeatures: takesFeatures, shape, workspace)
      return
    }
    gradient.setToConvolutionGradient(
      delta: delta, images: input, ofFeatures: takesFeatures, shape, workspace)
    for group in parameters.indices {
      let count = parameters[group].neurons
      for i in 0..<count { parameters[group].gradient.copyRow(group * count + i, of: gradient, to: i) }
    }
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    let samples = delta.rows / shape.window.outputs.count
    inputDelta.resize(rows: takesFeatures ? samples : samples * shape.window.image.count)
    if parameters.count == 1 {
      inputDelta.setToConvolutionInputGradient(
        delta: delta, weights: parameters[0].value, ofFeatures: takesFeatures, shape, workspace)
    } else {
      inputDelta.setToConvolutionInputGradient(
        delta: delta, weights: weights, ofFeatures: takesFeatures, shape, workspace)
    }
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    for group in parameters.indices where parameters[group].subsystem != nil {
      let patches = Patches(shape: observedShape, group: group, takesFeatures: takesFeatures)
      if parameters.count == 1 {
        try body(0, Observation(patches: patches, of: input, preactivations: preactivations))
      } else {
        let count = parameters[group].neurons
        ofGroup.resize(rows: preactivations.rows)
        ofGroup.copyColumns((group * count)..<((group + 1) * count), of: preactivations, to: 0)
        try body(group, Observation(patches: patches, of: input, preactivations: ofGroup))
      }
    }
  }

  public func rescaleStart(by scales: [Double]) -> Bool { false }
}

extension ConvolutionShape {
  public var inputExtent: Extent { Extent(channels: channels, positions: window.image.count) }
  public var outputExtent: Extent { Extent(channels: outputs, positions: window.outputs.count) }
}
