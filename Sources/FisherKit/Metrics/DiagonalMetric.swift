/// The diagonals of the exact blocks alone, Ĝ_i,aa = (1/n) Σ ν_i x̃_a², over the window of the samples seen since the last
/// refresh: next to no memory or time, and no correlations between inputs. A softmax layer takes ν = η(1 − η).
///
/// Memory: md elements and the window. Cost of a refresh with n samples: 2nmd flops; of a step: md.
public struct DiagonalMetric: Metric {
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(windowSamples: Int = 1000) {
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) { try requireWindow(windowSamples) }

  public var name: String { "diagonal" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      DiagonalInverse<S>(for: site, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let (m, d, n, size) = (
      Double(site.neurons), Double(site.order), Double(samples), Double(MemoryLayout<S>.stride)
    )
    return CurvatureEstimate(
      summary: "diagonal, \(samples) samples", bytes: DiagonalInverse<S>.bytes(for: site, samples: samples),
      refresh: Work(products: 2 * n * m * d, bytes: n * (m + 3 * d) * size, calls: 3),
      step: Work(bytes: 3 * m * d * size, calls: 1)
    )
    .adding(bytes: site.windowBytes(samples))
  }
}

/// 1/(diag Ĝ_i + λ) for every neuron.
final class DiagonalInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private var squares: Matrix<Scalar>
  /// The damped diagonals (m,d), inverted.
  private(set) var reciprocals: Matrix<Scalar>
  /// λ of each neuron.
  private(set) var lambdas: [Double]

  init(for site: CurvatureSite<Scalar>, samples: Int) throws(FisherError) {
    self.site = site
    squares = try Matrix(rows: samples, columns: site.order, what: "\(site.name): squares of \(samples) samples")
    reciprocals = try Matrix(rows: site.neurons, columns: site.order, what: "\(site.name): diagonals")
    lambdas = Array(repeating: 0, count: site.neurons)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("reciprocals", &reciprocals)
    try visitor.visit("damping", &lambdas)
    visitor.scratch("squares", squares)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    sum(
      ofBytes: site.bytes(samples, site.order), site.bytes(site.neurons, site.order),
      site.neurons * MemoryLayout<Double>.stride)
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    site.subsystem.nu(&weights, preactivations: z)
  }

  func refresh(inputs: borrowing Matrix<Scalar>, weights: borrowing Matrix<Scalar>) throws(FisherError) {
    squares.copy(from: inputs)
    squares.multiplyElements(inputs)
    reciprocals.setToProduct(
      weights, .transposed, squares, .none, inner: inputs.rows, outputColumns: site.order,
      alpha: 1 / Double(inputs.rows))
    for i in lambdas.indices { lambdas[i] = 0 }
    reciprocals.addRows(to: &lambdas)
    let layerMean = lambdas.reduce(0, +) / Double(max(1, lambdas.count * site.order))
    for i in lambdas.indices {
      lambdas[i] = site.lambda(trace: lambdas[i], order: site.order, layerMean: layerMean)
      let isBroken = site.incidents.faults?.breaks(layer: site.name, neuron: i, attempt: Ladder.diagonal) ?? false
      if !reciprocals.invert(row: i, damping: lambdas[i]) || isBroken {
        reciprocals.fill(row: i, with: 1)
        site.report(.plainGradient, neuron: i)
      }
    }
  }

  func precondition(_ vectors: inout Matrix<Scalar>) { vectors.multiplyElements(reciprocals) }
}

extension Matrix {
  /// Adds the sum of each row to `sums`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate func addRows(to sums: inout [Double]) {
    for i in 0..<rows {
      let row = storage.base + i * stride
      for j in 0..<columns { sums[i] += Double(row[j]) }
    }
  }

  /// Each element of a row to 1/(element + damping); whether all are positive numbers then.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  fileprivate mutating func invert(row i: Int, damping: Double) -> Bool {
    let row = storage.base + i * stride
    var isGood = true
    for j in 0..<columns {
      row[j] = 1 / (row[j] + Scalar(damping))
      isGood = isGood && row[j] > 0 && row[j].isFinite
    }
    return isGood
  }

  fileprivate mutating func fill(row i: Int, with value: Scalar) {
    (storage.base + i * stride).update(repeating: value, count: columns)
  }
}
