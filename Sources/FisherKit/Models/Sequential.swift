/// Layers one behind the other. The last one's outputs are the logits of a softmax.
///
/// All memory is allocated when it is made; forward and backward passes allocate nothing.
public final class Sequential<Scalar: KernelScalar>: Model {
  public let layers: [any Layer<Scalar>]
  public let parameters: [Parameter<Scalar>]
  /// The most samples that can be passed through at a time.
  public let batchCapacity: Int
  /// The mini-batch X̃ (n, inputs + 1), the last column 1.
  public var input: Matrix<Scalar>
  /// Takes the time of forward and backward passes, where there is one.
  public var profile: StepProfile?
  private let stages: [Stage<Scalar>]

  public init(_ layers: [any Layer<Scalar>], batchCapacity: Int) throws(FisherError) {
    demand(!layers.isEmpty, "a network has at least one layer")
    demand(batchCapacity > 0, "a mini-batch has at least one sample")
    for (before, after) in zip(layers, layers.dropFirst()) {
      demand(before.outputs == after.inputs, "\(before.outputs) outputs do not fit \(after.inputs) inputs")
    }
    self.layers = layers
    self.batchCapacity = batchCapacity
    parameters = layers.flatMap { $0.parameters }
    input = try Matrix(rows: batchCapacity, columns: layers[0].inputs + 1, what: "mini-batch")
    input.fill(column: layers[0].inputs, with: 1)
    var stages: [Stage<Scalar>] = []
    var firstParameter = 0
    for (index, layer) in layers.enumerated() {
      try layer.prepare(batchCapacity: batchCapacity)
      stages.append(
        try Stage(
          layer, firstParameter: firstParameter, batchCapacity: batchCapacity, isLast: index == layers.count - 1,
          name: layer.parameters.first?.name ?? "layer \(index + 1)"))
      firstParameter += layer.parameters.count
    }
    self.stages = stages
  }

  public var inputs: Int { layers[0].inputs }
  public var outputs: Int { layers[layers.count - 1].outputs }
  public var bytes: Int { input.bytes + stages.reduce(0) { $0 + $1.bytes } }

  /// The training pass: passes `input` through, and hands the logits (n, outputs) to `body`.
  public func forward<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    for i in stages.indices {
      if i == 0 {
        stages[i].layer.forward(input, into: &stages[i].output)
      } else {
        stages[i].layer.forward(stages[i - 1].output, into: &stages[i].output)
      }
    }
    return try withLogits(body)
  }

  /// The evaluation pass: passes `input` through as a trained network does, and hands the logits (n, outputs) to `body`.
  /// What ``observe(_:)`` shows is of that pass. A ``backward(_:)`` needs another ``forward(_:)`` first.
  public func predict<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    for i in stages.indices {
      if i == 0 {
        stages[i].layer.evaluate(input, into: &stages[i].output)
      } else {
        stages[i].layer.evaluate(stages[i - 1].output, into: &stages[i].output)
      }
    }
    return try withLogits(body)
  }

  /// The logits (n, outputs) of the last pass.
  func withLogits<R, E: Error>(_ body: (borrowing Matrix<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(stages[stages.count - 1].output)
  }

  /// Goes back from ∂L/∂logits, which `body` writes (n, outputs), and sets every parameter's gradient. Call it after
  /// ``forward(_:)`` on the same mini-batch.
  public func backward(_ body: (inout Matrix<Scalar>) -> Void) {
    let last = stages.count - 1
    stages[last].delta.resize(rows: input.rows)
    body(&stages[last].delta)
    for i in stages.indices.reversed() {
      if i == 0 {
        stages[i].layer.backward(&stages[i].delta, input: input)
      } else {
        stages[i].layer.backward(&stages[i].delta, input: stages[i - 1].output)
        stages[i].layer.propagate(stages[i].delta, into: &stages[i - 1].delta)
      }
    }
  }

  public func observe(
    _ body: (_ parameter: Int, _ inputs: borrowing Matrix<Scalar>, _ preactivations: borrowing Matrix<Scalar>)
      throws(FisherError) -> Void
  ) throws(FisherError) {
    for i in stages.indices {
      let layer = stages[i].layer
      let offset = stages[i].firstParameter
      if i == 0 {
        try layer.observe(input: input) { (index, x, z) throws(FisherError) in try body(offset + index, x, z) }
      } else {
        try layer.observe(input: stages[i - 1].output) { (index, x, z) throws(FisherError) in
          try body(offset + index, x, z)
        }
      }
    }
  }
}

/// A layer, what comes out of it, and the derivative of the loss by that.
private final class Stage<Scalar: KernelScalar> {
  let layer: any Layer<Scalar>
  /// The place of the layer's first parameter among the network's.
  let firstParameter: Int
  var output: Matrix<Scalar>
  var delta: Matrix<Scalar>

  init(
    _ layer: any Layer<Scalar>, firstParameter: Int, batchCapacity: Int, isLast: Bool, name: String
  ) throws(FisherError) {
    self.layer = layer
    self.firstParameter = firstParameter
    // The last one's outputs feed no layer, and need no bias column.
    output = try Matrix(
      rows: batchCapacity, columns: layer.outputs + (isLast ? 0 : 1), what: "\(name): outputs")
    if !isLast { output.fill(column: layer.outputs, with: 1) }
    delta = try Matrix(rows: batchCapacity, columns: layer.outputs, what: "\(name): derivatives of the outputs")
  }

  var bytes: Int { layer.bytes + output.bytes + delta.bytes }
}
