/// An optimizer whose gradients are no longer than so much: those that are longer are scaled down to it (Pascanu, Mikolov &
/// Bengio 2013), before L2 is added, by an L2 norm over all parameters together, or over each by itself.
public final class ClippedGradients<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// The most that ‖g‖ over all parameters may be, and over each; `nil` for no bound.
  public let norm: Double?
  public let parameterNorm: Double?
  /// ‖g‖ over all parameters of the last step, before it was clipped.
  public private(set) var lastNorm = 0.0
  /// Of each parameter.
  private var squares: [Double] = []
  private var dots: [[Double]] = []
  private var steps = 0

  /// - Throws: `invalidArgument` for a norm that is not above 0, and where there is none.
  public init(
    _ inner: any Optimizer<Scalar>, norm: Double? = nil, parameterNorm: Double? = nil
  ) throws(FisherError) {
    for (norm, name) in [(norm, "clipping"), (parameterNorm, "clipping of each parameter")] {
      if let norm { try require(norm > 0 && norm <= 1e30, name, expected: "a norm above 0, at most 1e30", found: norm) }
    }
    guard norm != nil || parameterNorm != nil else {
      throw .invalidArgument(what: "clipping", expected: "a norm, of all or of each parameter", found: "none")
    }
    (self.inner, self.norm, self.parameterNorm) = (inner, norm, parameterNorm)
  }

  public func prepare(for model: any Model<Scalar>, batches: MiniBatches) throws(FisherError) {
    try inner.prepare(for: model, batches: batches)
    let parameters = model.parameters
    squares = Array(repeating: 0, count: parameters.count)
    dots = parameters.map { Array(repeating: 0, count: $0.neurons) }
    steps = 0
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    demand(squares.count == parameters.count, "prepare the optimizer for this model first")
    var total = 0.0
    for i in parameters.indices {
      parameters[i].gradient.rowDots(parameters[i].gradient, into: &dots[i])
      squares[i] = 0
      for k in dots[i].indices { squares[i] += dots[i][k] }
      // (a float's square may overflow where a gradient is a number all the same, and clipping is for that)
      guard parameters[i].gradient.isFinite || squares[i].isFinite else {
        throw .nonFinite(what: "gradient of \(parameters[i].name)", step: steps + 1)
      }
      total += squares[i]
    }
    steps += 1
    lastNorm = total.squareRoot()
    for i in parameters.indices {
      var factor = 1.0
      if let parameterNorm, squares[i] > parameterNorm * parameterNorm {
        factor = parameterNorm / squares[i].squareRoot()
      }
      squares[i] *= factor * factor
      if factor < 1 { parameters[i].gradient.scale(by: factor) }
    }
    if let norm {
      var total = 0.0
      for i in squares.indices { total += squares[i] }
      if total > norm * norm {
        for parameter in parameters { parameter.gradient.scale(by: norm / total.squareRoot()) }
      }
    }
    return try inner.step(model)
  }

  public var settings: [String: String] {
    var settings = inner.settings
    if let norm { settings["clipping"] = "\(norm)" }
    if let parameterNorm { settings["clipping of each parameter"] = "\(parameterNorm)" }
    return settings
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    visitor.scratch("squares", bytes: 8 * (squares.count + dots.reduce(0) { $0 + $1.count }))
    try visitor.child("optimizer", inner)
  }
}
