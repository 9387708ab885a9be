/// Layers one behind the other: a network, when it is made for mini-batches of some size, and otherwise a layer made of
/// layers.
///
/// All memory is allocated when it is made for mini-batches; forward and backward passes allocate nothing.
public final class Sequential<Scalar: KernelScalar>: Layer {
  public let layers: [any Layer<Scalar>]
  public let parameters: [Parameter<Scalar>]
  /// The most samples that can be passed through at a time; 0 for a layer until its network makes room.
  public private(set) var batchCapacity = 0
  /// The mini-batch X̃ (rows, inputs + 1), the last column 1, of a network.
  public var input: Matrix<Scalar>
  /// Takes the time of forward and backward passes, where there is one.
  public var profile: StepProfile?
  /// What comes out of a network, and the derivative of the loss by that.
  private var output: Matrix<Scalar>
  private var outputDelta: Matrix<Scalar>
  private let parts: [Part<Scalar>]
  private var joints: [Joint<Scalar>] = []
  /// Whether what the layers hold is of a training pass.
  private var isObservable = false

  /// A layer made of layers.
  /// - Throws: `invalidArgument` for none, or where what comes out of one does not fit the next.
  public init(_ layers: [any Layer<Scalar>]) throws(FisherError) {
    try require(!layers.isEmpty, "layers", expected: "at least one", found: layers.count)
    for (index, (before, after)) in zip(layers, layers.dropFirst()).enumerated() {
      guard before.outputExtent == after.inputExtent else {
        throw .invalidArgument(
          what: "layer \(index + 2), \(after.name)", expected: "the \(before.outputExtent) outputs below as its inputs",
          found: "\(after.inputExtent)")
      }
    }
    self.layers = layers
    parameters = layers.flatMap { $0.parameters }
    var first = 0
    parts = layers.map { layer in
      defer { first += layer.parameters.count }
      return Part(layer, firstParameter: first)
    }
    input = try Matrix(rows: 0, columns: layers[0].inputs + 1)
    output = try Matrix(rows: 0, columns: 0)
    outputDelta = try Matrix(rows: 0, columns: 0)
  }

  /// A network for mini-batches of up to so many samples.
  public convenience init(_ layers: [any Layer<Scalar>], batchCapacity: Int) throws(FisherError) {
    try require(batchCapacity > 0, "mini-batch", expected: "at least one sample", found: batchCapacity)
    try self.init(layers)
    let (inputRows, outputRows) = (
      try inputExtent.rows(samples: batchCapacity, "mini-batch"),
      try outputExtent.rows(samples: batchCapacity, "outputs")
    )
    input = try Matrix(rows: inputRows, columns: inputs + 1, what: "mini-batch")
    input.fill(column: inputs, with: 1)
    try prepare(batchCapacity: batchCapacity)
    let name = layers[layers.count - 1].name
    output = try Matrix(rows: outputRows, columns: outputs, what: "\(name): outputs")
    outputDelta = try Matrix(rows: outputRows, columns: outputs, what: "\(name): derivatives of the outputs")
  }

  public var inputExtent: Extent { layers[0].inputExtent }
  public var outputExtent: Extent { layers[layers.count - 1].outputExtent }
  public var inputs: Int { inputExtent.channels }
  public var outputs: Int { outputExtent.channels }
  public var takesBias: Bool { layers[0].takesBias }
  public var bytes: Int { stateBytes }

  public func visit(_ visitor: StateVisitor) throws {
    for (index, layer) in layers.enumerated() { try visitor.child("\(index)", layer) }
    visitor.scratch("input", input)
    visitor.scratch("output", output)
    visitor.scratch("derivatives of the output", outputDelta)
    for joint in joints { visitor.scratch("between layers", bytes: joint.bytes) }
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    batchCapacity = capacity
    var joints: [Joint<Scalar>] = []
    for (index, layer) in layers.enumerated() {
      try layer.prepare(batchCapacity: capacity)
      if index + 1 < layers.count {
        joints.append(try Joint(below: layer, hasBias: layers[index + 1].takesBias, batchCapacity: capacity))
      }
    }
    self.joints = joints
  }

  public func rescaleStart(by scales: [Double]) -> Bool { layers[0].rescaleStart(by: scales) }
}

// MARK: As a layer

extension Sequential {
  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    if joints.isEmpty { return layers[0].forward(input, into: &output) }
    layers[0].forward(input, into: &joints[0].output)
    for i in 1..<joints.count { layers[i].forward(joints[i - 1].output, into: &joints[i].output) }
    layers[joints.count].forward(joints[joints.count - 1].output, into: &output)
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    if joints.isEmpty { return layers[0].evaluate(input, into: &output) }
    layers[0].evaluate(input, into: &joints[0].output)
    for i in 1..<joints.count { layers[i].evaluate(joints[i - 1].output, into: &joints[i].output) }
    layers[joints.count].evaluate(joints[joints.count - 1].output, into: &output)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    if joints.isEmpty { return layers[0].backward(&delta, input: input) }
    let last = joints.count
    layers[last].backward(&delta, input: joints[last - 1].output)
    layers[last].propagate(delta, into: &joints[last - 1].delta)
    for i in (1..<last).reversed() {
      layers[i].backward(&joints[i].delta, input: joints[i - 1].output)
      layers[i].propagate(joints[i].delta, into: &joints[i - 1].delta)
    }
    layers[0].backward(&joints[0].delta, input: input)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    if joints.isEmpty { return layers[0].propagate(delta, into: &inputDelta) }
    layers[0].propagate(joints[0].delta, into: &inputDelta)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    for i in parts.indices { try observe(i, input: input, body) }
  }

  private func observe(
    _ i: Int, input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>
  ) throws(FisherError) {
    let part = parts[i]
    func handOver(_ index: Int, _ observed: borrowing Observation<Scalar>) throws(FisherError) {
      guard let above = part.parameters[index].above, let upper = self.part(with: above, above: i) else {
        return try body(part.firstParameter + index, observed)
      }
      // (its pre-activations are those of a layer further up, in the same pass)
      try parts[upper].layer.observe(input: joints[upper - 1].output) { (k, outer) throws(FisherError) in
        guard parts[upper].parameters[k] === above else { return }
        try observed.withLayerAbove(weights: above.value, preactivations: outer.preactivations) {
          (both) throws(FisherError) in try body(part.firstParameter + index, both)
        }
      }
    }
    if i == 0 {
      try part.layer.observe(input: input, handOver)
    } else {
      try part.layer.observe(input: joints[i - 1].output, handOver)
    }
  }

  /// (a loop: generic searches allocate, and this is done at every step)
  private func part(with parameter: Parameter<Scalar>, above i: Int) -> Int? {
    for upper in (i + 1)..<parts.count {
      for k in parts[upper].parameters.indices where parts[upper].parameters[k] === parameter { return upper }
    }
    return nil
  }
}

// MARK: As a network

extension Sequential: Network {
  public var samples: Int { input.rows / layers[0].inputExtent.positions }

  public func withInput<R, E: Error>(_ body: (inout Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(&input)
  }

  public func forward<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    forward(input, into: &output)
    isObservable = true
    return try body(output)
  }

  public func predict<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    isObservable = false
    evaluate(input, into: &output)
    return try body(output)
  }

  public func backward(_ body: (_ outputs: borrowing Matrix<Scalar>, _ delta: inout Matrix<Scalar>) -> Void) {
    demand(isObservable, "a backward pass without its forward pass")
    outputDelta.resize(rows: output.rows)
    body(output, &outputDelta)
    backward(&outputDelta, input: input)
  }

  /// Hands over what was observed in the last training pass, for each parameter that has a subsystem.
  /// - Throws: `invalidArgument` where an evaluation has passed through since, and what `body` throws.
  public func observe(_ body: ObservationBody<Scalar>) throws(FisherError) {
    guard isObservable else {
      throw .invalidArgument(
        what: "observation", expected: "a training pass that nothing has passed through since", found: "none")
    }
    try observe(input: input, body)
  }

  /// The evaluation pass, with what was observed in it.
  public func predict(observing body: ObservationBody<Scalar>) throws(FisherError) {
    predict { _ in }
    try observe(input: input, body)
  }
}

/// A layer with the place of its first parameter among those of all.
private final class Part<Scalar: KernelScalar> {
  let layer: any Layer<Scalar>
  let firstParameter: Int
  /// (kept: a layer may make its list anew whenever it is asked)
  let parameters: [Parameter<Scalar>]

  init(_ layer: any Layer<Scalar>, firstParameter: Int) {
    (self.layer, self.firstParameter, parameters) = (layer, firstParameter, layer.parameters)
  }
}

/// What comes out of a layer and goes into the next, and the derivative of the loss by that.
private final class Joint<Scalar: KernelScalar> {
  var output: Matrix<Scalar>
  var delta: Matrix<Scalar>

  init(below layer: any Layer<Scalar>, hasBias: Bool, batchCapacity: Int) throws(FisherError) {
    let rows = try layer.outputExtent.rows(samples: batchCapacity, "\(layer.name): outputs")
    output = try Matrix(rows: rows, columns: layer.outputs + (hasBias ? 1 : 0), what: "\(layer.name): outputs")
    if hasBias { output.fill(column: layer.outputs, with: 1) }
    delta = try Matrix(rows: rows, columns: layer.outputs, what: "\(layer.name): derivatives of the outputs")
  }

  var bytes: Int { output.bytes + delta.bytes }
}
