/// An optimizer whose gradients are no longer than so much: those that are longer are scaled down to it (Pascanu, Mikolov &
/// Bengio 2013), before L2 is added, by an L2 norm over all parameters together, or over each by itself.
public final class ClippedGradients<Scalar: KernelScalar>: WrappingOptimizer {
  public let inner: any Optimizer<Scalar>
  /// The most that ‖g‖ over all parameters may be, and over each; `nil` for no bound.
  public let norm: Double?
  public let parameterNorm: Double?
  /// ‖g‖ over all parameters of the last step, before it was clipped.
  public private(set) var lastNorm = 0.0
  /// ‖g‖ of each parameter, what its gradient was divided by to find that, and sums beside it.
  private var norms: [Double] = []
  private var divisors: [Double] = []
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
    norms = Array(repeating: 0, count: parameters.count)
    divisors = norms
    dots = parameters.map { Array(repeating: 0, count: $0.neurons) }
    steps = 0
  }

  public func step(_ model: any Model<Scalar>) throws(FisherError) -> [Incident] {
    let parameters = model.parameters
    demand(norms.count == parameters.count, "prepare the optimizer for this model first")
    try model.requireFiniteGradients(step: steps + 1)
    steps += 1
    var most = 0.0
    for i in parameters.indices {
      measure(&parameters[i].gradient, i)
      most = max(most, norms[i])
    }
    // (in units of the largest, whose square is a number)
    func all() -> Double {
      var sum = 0.0
      for i in norms.indices where most > 0 { sum += (norms[i] / most) * (norms[i] / most) }
      return most * sum.squareRoot()
    }
    lastNorm = all()
    for i in parameters.indices {
      guard let parameterNorm, norms[i] > parameterNorm else { continue }
      divisors[i] *= parameterNorm / norms[i]
      norms[i] = parameterNorm
    }
    let clipped = all()
    let factor = norm.map { clipped > $0 ? $0 / clipped : 1 } ?? 1
    for i in parameters.indices where divisors[i] * factor != 1 {
      parameters[i].gradient.scale(by: divisors[i] * factor)
    }
    return try inner.step(model)
  }

  /// Finds ‖g‖ of a gradient of finite numbers, whose squares may overflow; it is divided by 2⁶⁴ until they do not.
  private func measure(_ gradient: inout Matrix<Scalar>, _ i: Int) {
    divisors[i] = 1
    while true {
      gradient.rowDots(gradient, into: &dots[i])
      var sum = 0.0
      for k in dots[i].indices { sum += dots[i][k] }
      norms[i] = sum.squareRoot() * divisors[i]
      if sum.isFinite { return }
      gradient.scale(by: 0x1p-64)
      divisors[i] *= 0x1p64
    }
  }

  public var settings: [String: String] {
    var settings = inner.settings
    if let norm { settings["clipping"] = "\(norm)" }
    if let parameterNorm { settings["clipping of each parameter"] = "\(parameterNorm)" }
    return settings
  }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("steps", &steps, in: 0...(.max))
    visitor.scratch("norms", bytes: 8 * (2 * norms.count + dots.reduce(0) { $0 + $1.count }))
    try visitor.child("optimizer", inner)
  }
}
