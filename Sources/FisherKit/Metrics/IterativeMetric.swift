/// The exact matrices without any: each step solves for its direction by conjugate gradients on the window of the samples
/// seen before the last refresh, for all neurons of a layer at once, two matrix products an iteration. No block is formed
/// or stored. A softmax layer is solved as one system (eq 10).
///
/// Preconditioned by the damped diagonals. A neuron is done when ‖r_i‖ ≤ tolerance ‖g_i‖; a step ends when all are, or
/// after so many iterations, with what it has.
///
/// Memory: the window twice and five matrices (m,d). Cost of an iteration with n samples: 4nmd flops.
public struct IterativeMetric: Metric {
  public let tolerance: Double
  public let iterations: Int
  /// The most samples that a refresh is made of; of more, a uniform sample.
  public let windowSamples: Int

  public init(tolerance: Double = 0.03, iterations: Int = 50, windowSamples: Int = 1000) {
    self.tolerance = tolerance
    self.iterations = iterations
    self.windowSamples = windowSamples
  }

  public func validate() throws(FisherError) {
    try require(tolerance > 0 && tolerance < 1, "tolerance", expected: "a number in (0, 1)", found: tolerance)
    try require(iterations > 0, "iterations", expected: "1 or more", found: iterations)
    try requireWindow(windowSamples)
  }

  public var name: String { "iterative" }

  public func makeCurvature<S: KernelScalar>(for site: CurvatureSite<S>) throws(FisherError) -> any Curvature<S> {
    try validate()
    try site.requireOneLayer(for: name)
    if case .coupled = site.subsystem.form { throw site.noWay(for: name) }
    return try WindowedCurvature<S>(
      for: site, windowLimit: windowSamples, estimate: estimate(for: site),
      IterativeInverse<S>(
        for: site, metric: self, samples: SampleWindow<S>.capacity(for: site, limit: windowSamples)))
  }

  /// A step with as many iterations as there may be.
  public func estimate<S: KernelScalar>(for site: CurvatureSite<S>) -> CurvatureEstimate {
    let samples = SampleWindow<S>.capacity(for: site, limit: windowSamples)
    let diagonal = DiagonalMetric(windowSamples: windowSamples).estimate(for: site)
    let (m, d, n, k) = (Double(site.neurons), Double(site.order), Double(samples), Double(iterations))
    return CurvatureEstimate(
      summary: "iterative, \(iterations) iterations at most, \(samples) samples",
      bytes: IterativeInverse<S>.bytes(for: site, samples: samples),
      refresh: diagonal.refresh,
      step: Work(products: 4 * k * n * m * d, bytes: 2 * k * Double(site.bytes(samples, site.order)), calls: 8 * k)
    )
    .adding(bytes: site.windowBytes(samples))
  }
}

final class IterativeInverse<Scalar: KernelScalar>: WindowInverse {
  private let site: CurvatureSite<Scalar>
  private let metric: IterativeMetric
  private let isSoftmax: Bool
  private var inputs: Matrix<Scalar>
  /// ν/n, or η of a softmax.
  private var weights: Matrix<Scalar>
  private let diagonal: DiagonalInverse<Scalar>
  private var nu: Matrix<Scalar>
  private var z: Matrix<Scalar>
  private let work: AlignedBuffer<UInt8>
  private var solution: Matrix<Scalar>
  private var direction: Matrix<Scalar>
  private var product: Matrix<Scalar>
  private var conditioned: Matrix<Scalar>
  /// For each neuron: ⟨r, conditioned r⟩, the step, and the bound on ‖r‖².
  private var rho: [Double]
  private var steps: [Double]
  private var bounds: [Double]
  private var minusLambdas: [Double]

  init(for site: CurvatureSite<Scalar>, metric: IterativeMetric, samples: Int) throws(FisherError) {
    (self.site, self.metric) = (site, metric)
    isSoftmax = site.isSoftmax
    let (m, d) = (site.neurons, site.order)
    inputs = try Matrix(rows: samples, columns: d, what: "\(site.name): inputs of \(samples) samples")
    weights = try Matrix(rows: samples, columns: m, what: "\(site.name): ν of \(samples) samples")
    diagonal = try DiagonalInverse(for: site, samples: samples)
    nu = try Matrix(rows: samples, columns: m, what: "\(site.name): ν of \(samples) samples")
    z = try Matrix(rows: samples, columns: m, what: "\(site.name): pre-activations of a product")
    work = try Matrix<Scalar>.softmaxMatvecWorkspace(samples: isSoftmax ? samples : 0, classes: m)
    solution = try Matrix(rows: m, columns: d, what: "\(site.name): solution")
    direction = try Matrix(rows: m, columns: d, what: "\(site.name): search direction")
    product = try Matrix(rows: m, columns: d, what: "\(site.name): product")
    conditioned = try Matrix(rows: m, columns: d, what: "\(site.name): preconditioned residual")
    rho = Array(repeating: 0, count: m)
    steps = Array(repeating: 0, count: m)
    bounds = Array(repeating: 0, count: m)
    minusLambdas = Array(repeating: 0, count: m)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("inputs", &inputs)
    try visitor.visit("weights", &weights)
    try visitor.child("diagonal", diagonal)
    try visitor.visit("minus damping", &minusLambdas)
    if visitor.isRestoring { z.resize(rows: inputs.rows) }
    for (name, list) in [("rho", rho), ("steps", steps), ("bounds", bounds)] { visitor.scratch(name, list) }
    visitor.scratch("ν", nu)
    visitor.scratch("z", z)
    visitor.scratch("work", bytes: work.count)
    visitor.scratch("solution", solution)
    visitor.scratch("direction", direction)
    visitor.scratch("product", product)
    visitor.scratch("conditioned", conditioned)
  }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>, samples: Int) -> Int {
    let (m, d) = (site.neurons, site.order)
    let (vector, weights) = (site.bytes(m, d), site.bytes(samples, m))
    let isSoftmax = site.isSoftmax
    return sum(
      ofBytes: site.bytes(samples, d), weights, weights, weights,
      DiagonalInverse<Scalar>.bytes(for: site, samples: samples),
      Scalar._kernels.softmaxBlockMatvecWorkSize(isSoftmax ? samples : 0, m), vector, vector, vector, vector,
      4 * m * MemoryLayout<Double>.stride)
  }

  func weigh(_ weights: inout Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    if isSoftmax { weights.setToSoftmax(of: z) } else { site.subsystem.nu(&weights, preactivations: z) }
  }

  func addNu(of weights: borrowing Matrix<Scalar>, to sums: inout [Double]) {
    if isSoftmax { weights.addVariances(to: &sums) } else { weights.addColumns(to: &sums) }
  }

  func refresh(inputs x: borrowing Matrix<Scalar>, weights w: borrowing Matrix<Scalar>) throws(FisherError) {
    inputs.copy(from: x)
    weights.copy(from: w)
    nu.copy(from: w)
    if isSoftmax { nu.replaceByVariances() }
    try diagonal.refresh(inputs: inputs, weights: nu)
    for i in minusLambdas.indices { minusLambdas[i] = -diagonal.lambdas[i] }
    z.resize(rows: x.rows)
  }

  func precondition(_ residual: inout Matrix<Scalar>) {
    solution.setToZero()
    direction.setToZero()
    residual.rowDots(residual, into: &bounds, summed: isSoftmax)
    for i in bounds.indices { bounds[i] *= metric.tolerance * metric.tolerance }
    for iteration in 0..<metric.iterations {
      conditioned.copy(from: residual)
      diagonal.precondition(&conditioned)
      swap(&steps, &rho)
      residual.rowDots(conditioned, into: &rho, summed: isSoftmax)
      for i in rho.indices { steps[i] = iteration > 0 && steps[i] > 0 ? rho[i] / steps[i] : 0 }
      direction.scaleRows(by: steps)
      direction.combine(1, 1, conditioned)
      multiply()
      product.rowDots(direction, into: &steps, summed: isSoftmax)
      // A neuron that has nothing left to do stands still.
      for i in steps.indices { steps[i] = steps[i] > 0 && rho[i] > 0 ? rho[i] / steps[i] : 0 }
      residual.subtract(product, scaled: steps)
      for i in steps.indices { steps[i] = -steps[i] }
      solution.subtract(direction, scaled: steps)
      residual.rowDots(residual, into: &steps, summed: isSoftmax)
      if zip(steps, bounds).allSatisfy({ !($0 > $1) }) { break }
    }
    residual.copy(from: solution)
  }

  /// product = (Ĝ + λI) direction
  private func multiply() {
    let alpha = 1 / Double(inputs.rows)
    if isSoftmax {
      product.setToSoftmaxProduct(inputs: inputs, eta: weights, vectors: direction, alpha: alpha, work: work)
    } else {
      z.setToProduct(inputs, .none, direction, .transposed, inner: site.order, outputColumns: site.neurons)
      z.multiplyElements(weights)
      product.setToProduct(
        z, .transposed, inputs, .none, inner: inputs.rows, outputColumns: site.order, alpha: alpha)
    }
    // (subtracts minus λ_i times row i)
    product.subtract(direction, scaled: minusLambdas)
  }
}
