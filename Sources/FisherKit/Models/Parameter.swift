/// A matrix W (m,d) that is learned, row i the weights of neuron i with the bias last, and its gradient.
public final class Parameter<Scalar: KernelScalar> {
  /// The name for messages, such as "layer 1".
  public var name: String
  public var value: Matrix<Scalar>
  /// ∂L/∂W of the last mini-batch. An optimizer may overwrite it by the direction of its step.
  public var gradient: Matrix<Scalar>
  /// What the relative Fisher matrix of these weights is; `nil` leaves them to the plain gradient.
  public private(set) var subsystem: (any Subsystem)?
  /// The rows that a sample has where it is used.
  public let positions: Int
  /// Whether its inputs are patches of images.
  let hasPatches: Bool
  /// Whether L2 applies to it, the last column left out: weights decay, the scale of a normalisation does not.
  public let isDecayed: Bool
  /// The weights of the layer above through which ``TwoLayers`` sees these; `nil` for any other subsystem.
  public private(set) var above: Parameter<Scalar>?

  /// ‖W‖² as ``startGlorotUniform(using:)`` left it.
  private var startSquares: Double?

  /// A parameter of zeros.
  /// - Throws: `sizeOverflow` or `outOfMemory`.
  public convenience init(
    name: String, neurons: Int, order: Int, subsystem: (any Subsystem)?, isDecayed: Bool = true, positions: Int = 1
  ) throws(FisherError) {
    try self.init(
      name: name, neurons: neurons, order: order, subsystem: subsystem, isDecayed: isDecayed, positions: positions,
      hasPatches: false)
  }

  init(
    name: String, neurons: Int, order: Int, subsystem: (any Subsystem)?, isDecayed: Bool = true, positions: Int,
    hasPatches: Bool
  ) throws(FisherError) {
    self.hasPatches = hasPatches
    self.name = name
    self.positions = positions
    self.isDecayed = isDecayed
    self.subsystem = subsystem
    value = try Matrix(rows: neurons, columns: order, what: "\(name): weights")
    gradient = try Matrix(rows: neurons, columns: order, what: "\(name): gradient")
  }

  /// Where its Fisher matrix is asked for; `nil` where it has none.
  public var site: Site? {
    subsystem.map {
      var site = Site(
        name: name, neurons: neurons, order: order, subsystem: $0, positions: positions,
        neuronsAbove: above?.neurons)
      site.hasPatches = hasPatches
      return site
    }
  }

  /// Makes it and the layer above one subsystem.
  func see(through above: Parameter, _ layers: TwoLayers) {
    (self.above, subsystem) = (above, layers)
  }

  public var neurons: Int { value.rows }
  public var order: Int { value.columns }
  public var bytes: Int { value.bytes + gradient.bytes }

  /// Glorot & Bengio's uniform start: weights in ±√(6/(inputs + neurons)), biases 0.
  /// - Parameter fanOut: how many weights an input goes into, by default one of each neuron.
  public func startGlorotUniform(fanOut: Int? = nil, using generator: inout SeededGenerator) {
    let limit = (6 / Double(order - 1 + (fanOut ?? neurons))).squareRoot()
    for i in 0..<neurons {
      for j in 0..<(order - 1) { value[i, j] = Scalar((2 * generator.uniform() - 1) * limit) }
      value[i, order - 1] = 0
    }
    startSquares = value.dot(value)
  }

  /// Whether the weights are those of ``startGlorotUniform(using:)``, and nothing was learned or loaded since.
  var isAtStart: Bool { startSquares == value.dot(value) }

  /// Weights that were started for inputs of unit scale to the scale of these inputs: column j times scales[j].
  func rescaleStart(by scales: [Double]) {
    demand(scales.count == order - 1, "expected a scale for each input")
    for i in 0..<neurons {
      for j in scales.indices { value[i, j] *= Scalar(scales[j]) }
    }
    startSquares = nil
  }
}

extension KeptMatrix {
  /// Of zeros, in the shape of a parameter.
  convenience init(like parameter: Parameter<Scalar>, what: String) throws(FisherError) {
    try self.init(neurons: parameter.neurons, order: parameter.order, what: "\(parameter.name): \(what)")
  }
}
