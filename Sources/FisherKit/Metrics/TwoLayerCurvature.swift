/// The curvature of the lower one of two layers that are one subsystem.
public protocol PairCurvature<Scalar>: Curvature {
  /// Takes note of the pre-activations z (n, D_y) of the layer above, after ``Curvature/observe(inputs:preactivations:)``
  /// of the same mini-batch.
  func observeOuter(preactivations: borrowing Matrix<Scalar>)
}

/// The exact matrix of two layers (eq 12) over a window of samples, with the outer weights as they are at the refresh.
///
/// A window of few samples stands in where the matrix is too large to be formed: of each mini-batch its first rows, a
/// uniform sample since batches are shuffled. The solve is then the low-rank one, exact for that window.
///
/// Memory: (md)² elements up to order 4096, else (nk)² with nk ≤ 4096, and the window. Cost of a refresh with n samples:
/// n m(m+1)/2 d(d+1) + (md)³/3 flops, or (nk)²m + (nk)³/3; of a step: 2(md)², or 12nmd + 6(nk)².
final class TwoLayerCurvature<Scalar: KernelScalar>: PairCurvature {
  private let site: CurvatureSite<Scalar>
  private let pair: LayerPair<Scalar>
  private var inputs: Matrix<Scalar>
  private var slopes: Matrix<Scalar>
  private var outerPreactivations: Matrix<Scalar>
  private var batchSlopes: Matrix<Scalar>
  private var inverse: (any DampedInverse<Scalar>)?
  private let size: PairWindow
  private var rowsPerBatch: Int
  /// Rows of the batch being observed.
  private var taken = 0

  /// The largest order that is factored.
  static var orderLimit: Int { 4096 }

  /// How many samples the window takes, and whether the matrix itself is factored.
  private struct PairWindow {
    let samples: Int
    let isDense: Bool

    init(for site: CurvatureSite<Scalar>, pair: LayerPair<Scalar>) {
      let (size, overflow) = site.neurons.multipliedReportingOverflow(by: site.order)
      let planned = SampleWindow<Scalar>.capacity(for: site, limit: 8192)
      isDense = !overflow && size <= orderLimit
      samples = isDense ? planned : min(planned, max(1, orderLimit / pair.outer.neurons))
    }
  }

  init(for site: CurvatureSite<Scalar>, pair: LayerPair<Scalar>) throws(FisherError) {
    estimate = Self.estimate(for: site, pair: pair)
    self.site = site
    self.pair = pair
    let (m, d, outputs) = (site.neurons, site.order, pair.outer.neurons)
    size = PairWindow(for: site, pair: pair)
    let capacity = size.samples
    rowsPerBatch = capacity
    inputs = try Matrix(rows: capacity, columns: d, what: "\(site.name): inputs of \(capacity) samples")
    slopes = try Matrix(rows: capacity, columns: m, what: "\(site.name): slopes of \(capacity) samples")
    outerPreactivations = try Matrix(
      rows: capacity, columns: outputs, what: "\(site.name): outer pre-activations of \(capacity) samples")
    batchSlopes = try Matrix(rows: site.batchSize, columns: m, what: "\(site.name): slopes of a batch")
    removeAll()
  }

  static func estimate(for site: CurvatureSite<Scalar>, pair: LayerPair<Scalar>) -> CurvatureEstimate {
    let (m, d, outputs) = (Double(site.neurons), Double(site.order), Double(pair.outer.neurons))
    let window = PairWindow(for: site, pair: pair)
    let (samples, isDense) = (window.samples, window.isDense)
    let n = Double(samples)
    let order = isDense ? site.neurons * site.order : samples * pair.outer.neurons
    let (k, held) = (Double(order), site.bytes(order, order))
    return CurvatureEstimate(
      summary: "two layers, one matrix of order \(order), \(samples) samples",
      bytes: sum(
        ofBytes: site.bytes(samples, site.order), site.bytes(samples, site.neurons),
        site.bytes(samples, pair.outer.neurons), site.bytes(site.batchSize, site.neurons),
        refreshBytes(for: site, pair: pair, window)),
      refresh: Work(
        products: isDense ? 0 : k * k * m, grams: isDense ? n * m * (m + 1) / 2 * d * (d + 1) : 0,
        factors: k * k * k / 3, bytes: 3 * Double(held), calls: 4 * m),
      step: Work(
        products: isDense ? 0 : 12 * n * m * (d + outputs), solves: isDense ? 2 * k * k : 6 * k * k,
        bytes: Double(held), calls: 12))
  }

  /// The inverse with the most that there is beside it while it is made, of a full window or, by the low-rank way, of one
  /// that is not full yet.
  private static func refreshBytes(
    for site: CurvatureSite<Scalar>, pair: LayerPair<Scalar>, _ window: PairWindow
  ) -> Int {
    let outer = (neurons: pair.outer.neurons, isSoftmax: pair.outer.subsystem.map(\.isSoftmax) ?? false)
    func factor(samples: Int) -> CoupledFactorBytes<Scalar> {
      CoupledFactorBytes(site: site, samples: samples, outer: outer)
    }
    guard window.isDense else { return factor(samples: window.samples).makingLowRank }
    let few = min(window.samples, max(1, orderLimit / 4 / max(1, outer.neurons - (outer.isSoftmax ? 1 : 0))))
    return max(factor(samples: window.samples).makingDense, factor(samples: few).makingLowRank)
  }

  let estimate: CurvatureEstimate

  var bytes: Int {
    inputs.bytes + slopes.bytes + outerPreactivations.bytes + batchSlopes.bytes
      + Self.refreshBytes(for: site, pair: pair, size)
  }

  /// More samples than fit are not taken.
  func observe(inputs x: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    taken = min(rowsPerBatch, x.rows, inputs.capacity - inputs.rows)
    batchSlopes.resize(rows: z.rows)
    batchSlopes.setToSlopes(of: pair.hidden, at: z)
    inputs.append(x, first: taken)
    slopes.append(batchSlopes, first: taken)
  }

  func observeOuter(preactivations z: borrowing Matrix<Scalar>) { outerPreactivations.append(z, first: taken) }

  private func removeAll() {
    inputs.resize(rows: 0)
    slopes.resize(rows: 0)
    outerPreactivations.resize(rows: 0)
  }

  func expectRefresh(after steps: Int, isEarly: Bool) {
    let room = inputs.capacity - inputs.rows
    rowsPerBatch = max(1, (room + max(1, steps) - 1) / max(1, steps))
  }

  func refresh() throws(FisherError) {
    demand(
      inputs.rows > 0 && outerPreactivations.rows == inputs.rows, "a refresh needs an observation of both layers")
    inverse = nil
    // After a failure what there is stays, and grows, but a window that is full can only be begun anew.
    defer { if inverse == nil && inputs.rows == inputs.capacity { removeAll() } }
    guard let subsystem = pair.outer.subsystem else { fatalError("the outer layer has a subsystem") }
    var windowSlopes = try Matrix<Scalar>(rows: slopes.rows, columns: slopes.columns, what: "\(site.name): slopes")
    windowSlopes.copy(from: slopes)
    let block = try SampledBlock<Scalar>(
      inputs: inputs,
      covariance: TwoLayerCovariance<Scalar>(
        slopes: windowSlopes, outerWeights: pair.outer.value,
        outputs: try subsystem.outputCovariance(preactivations: outerPreactivations)))
    let isSmall = block.rankBound < site.neurons * site.order
    let isLowRank = !size.isDense || isSmall && block.rankBound <= Self.orderLimit / 4
    inverse = try site.factor(trace: try block.trace(), order: site.neurons * site.order) {
      (lambda) throws(FisherError) in
      if isLowRank && lambda > 0 {
        try LowRankFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
      } else {
        try DenseFactor(block, damping: lambda, memoryCap: .max, parameter: site.name)
      }
    }
    assert(
      inverse.map { $0.bytes <= Self.refreshBytes(for: site, pair: pair, size) } ?? true,
      "\(site.name): a factor larger than planned")
    if 2 * inputs.rows > inputs.capacity { removeAll() }
  }

  func precondition(_ gradient: inout Matrix<Scalar>) throws(FisherError) {
    guard let inverse else {
      fatalError("\(site.name): the curvature was not refreshed, or its factorisation failed")
    }
    try inverse.solve(&gradient)
  }
}
