/// Of each exact block the diagonal and the row of the bias, over the window of the samples seen since the last refresh
/// (Ollivier 2015, "Riemannian metrics for neural networks I", the quasi-diagonal reduction): invariant under shifts of the
/// inputs, in O(d) a neuron, the cheapest that is.
///
///     δ_j = (g_j − g_0 b_j/c)/(D_j − b_j²/c),   δ_0 = g_0/c − Σ_j (b_j/c) δ_j
///
/// with D_j = E[νx_j²] + λ, b_j = E[νx_j], c = E[ν] + λ, and 0 the bias. A softmax layer takes ν = η(1 − η).
///
/// Memory: 2md elements and the window. Cost of a refresh with n samples: 4nmd flops; of a step: 4md.
public struct QuasiDiagonalMetric: Metric {
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(windowSamples: Int = 1000) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "quasi-diagonal" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      QuasiDiagonalInverse<S>(for: site, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let (m, d, n, size) = (
      Double(site.neurons), Double(site.order), Double(samples), Double(MemoryLayout<S>.stride)
    )
    return CurvatureEstimate(
      summary: "quasi-diagonal, \(samples) samples", bytes: QuasiDiagonalInverse<S>.bytes(for: site, samples: samples),
      refresh: Work(products: 4 * n * m * d, bytes: n * (2 * m + 4 * d) * size, calls: 4),
      step: Work(bytes: 4 * m * d * size, calls: 1)
    )
    .adding(bytes: site.windowBytes(samples))
  }
}

final class QuasiDiagonalInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private var squares: Matrix<Scalar>
  /// 1/(D_j − b_j²/c), and 1/c last.
  private var reciprocals: Matrix<Scalar>
  /// b_j/c, and 0 last.
  private var ratios: Matrix<Scalar>
  private var traces: [Double]

  init(for site: CurvatureSite<Scalar>, samples: Int) throws(FisherError) {
    self.site = site
    squares = try Matrix(rows: samples, columns: site.order, what: "\(site.name): squares of \(samples) samples")
    reciprocals = try Matrix(rows: site.neurons, columns: site.order, what: "\(site.name): diagonals")
    traces = Array(repeating: 0, count: site.neurons)
    ratios = try Matrix(rows: site.neurons, columns: site.order, what: "\(site.name): rows of biases")
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("reciprocals", &reciprocals)
    try visitor.visit("ratios", &ratios)
    visitor.scratch("squares", squares)
    visitor.scratch("traces", traces)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    let weights = site.bytes(site.neurons, site.order)
    return sum(
      ofBytes: site.bytes(samples, site.order), weights, weights, site.neurons * MemoryLayout<Double>.stride)
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    let alpha = 1 / Double(inputs.rows)
    squares.copy(from: inputs)
    squares.multiplyElements(inputs)
    reciprocals.setToProduct(
      weights, .transposed, squares, .none, inner: inputs.rows, outputColumns: site.order, alpha: alpha)
    // (the last input, 1 or what a position weighs, is the same in all rows)
    let one = Double(inputs[0, site.order - 1])
    ratios.setToProduct(
      weights, .transposed, inputs, .none, inner: inputs.rows, outputColumns: site.order, alpha: alpha * one)
    var total = 0.0
    for i in traces.indices {
      traces[i] = reciprocals.rowSum(i)
      total += traces[i]
    }
    let layerMean = total / Double(max(1, site.neurons * site.order))
    for i in traces.indices {
      let lambda = site.lambda(trace: traces[i], order: site.order, layerMean: layerMean)
      let isBroken = site.incidents.faults?.breaks(layer: site.name, neuron: i, attempt: Ladder.diagonal) ?? false
      if !invert(i, damping: lambda) || isBroken {
        for j in 0..<site.order { (reciprocals[i, j], ratios[i, j]) = (1, 0) }
        site.report(.plainGradient, neuron: i)
      }
    }
  }

  private func invert(_ i: Int, damping: Double) -> Bool {
    let last = site.order - 1
    let c = Double(reciprocals[i, last]) + damping
    guard c > 0, c.isFinite else { return false }
    var isGood = true
    for j in 0..<last {
      let ratio = Double(ratios[i, j]) / c
      let pivot = Double(reciprocals[i, j]) + damping - ratio * Double(ratios[i, j])
      isGood = isGood && pivot > 0 && Scalar(1 / pivot).isFinite
      (reciprocals[i, j], ratios[i, j]) = (Scalar(1 / pivot), Scalar(ratio))
    }
    (reciprocals[i, last], ratios[i, last]) = (Scalar(1 / c), 0)
    return isGood && Scalar(1 / c).isFinite
  }

  func precondition(_ vectors: inout Matrix<Scalar>) {
    vectors.applyQuasiDiagonal(reciprocals: reciprocals, ratios: ratios)
  }
}

extension Matrix {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate func rowSum(_ i: Int) -> Double {
    var sum = 0.0
    for j in 0..<columns { sum += Double(storage.base[i * stride + j]) }
    return sum
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func applyQuasiDiagonal(reciprocals: borrowing Matrix, ratios: borrowing Matrix) {
    demandShape(of: reciprocals)
    demandShape(of: ratios)
    let last = columns - 1
    for i in 0..<rows {
      let (g, r) = (storage.base + i * stride, reciprocals.storage.base + i * reciprocals.stride)
      let q = ratios.storage.base + i * ratios.stride
      let bias = g[last]
      var sum: Scalar = 0
      for j in 0..<last {
        g[j] = (g[j] - bias * q[j]) * r[j]
        sum += q[j] * g[j]
      }
      g[last] = bias * r[last] - sum
    }
  }
}
