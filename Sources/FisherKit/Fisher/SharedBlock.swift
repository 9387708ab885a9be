/// diag[Ĝ, …, Ĝ] with one block Ĝ = ν (1/n) Σ_s x̃_sx̃_sᵀ for all m neurons: a linear layer, ν = 1/σ² (section 2.5).
///
/// Memory: d² elements and the n samples X̃, which a solve goes back to. Forming it costs n d² flops, a product 2md², the
/// spectrum 4/3 d³.
public final class SharedBlock<Scalar: KernelScalar>: RFIM {
  private let shared: Matrix<Scalar>
  private let observations: Observations<Scalar>
  private let nu: Double
  public let neurons: Int

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included; `neurons`: m.
  public init(inputs x: borrowing Matrix<Scalar>, nu: Double, neurons: Int) throws(FisherError) {
    demand(x.rows > 0, "expected at least one row of inputs")
    demand(neurons >= 0 && nu >= 0 && nu.isFinite, "expected neurons and a ν from 0 up")
    var shared = try Matrix<Scalar>(rows: x.columns, columns: x.columns, what: "block of order \(x.columns)")
    shared.setToGram(x, alpha: nu / Double(x.rows), beta: 0)
    shared.symmetrize()
    self.shared = shared
    self.nu = nu
    self.neurons = neurons
    observations = try Observations(copying: x)
  }

  public var order: Int { shared.columns }
  public var bytes: Int { shared.bytes + observations.inputs.bytes }
  public var isBlockDiagonal: Bool { true }

  public func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar> {
    checkIndex(i)
    checkIndex(j)
    var matrix = try Matrix<Scalar>(rows: order, columns: order, what: "block of order \(order)")
    if i == j { matrix.copy(from: shared) }
    return matrix
  }

  public func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) {
    checkShape(vectors)
    checkShape(product)
    product.setToProduct(vectors, .none, shared, .none, inner: order, outputColumns: order)
  }

  /// By one factor for all neurons, of order n where there are fewer samples than inputs (Woodbury) or else d: n³/3 or
  /// d³/3 flops, and n² or d² doubles.
  public func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport {
    checkShape(vectors)
    try checkDamping(damping)
    let routes: [SolveRoute] =
      switch route {
      case .dense, .conjugateGradients: [.dense]
      case .lowRank: [.lowRank]
      case .automatic where damping == 0: [.dense]
      case .automatic: observations.samples < order ? [.lowRank, .dense] : [.dense, .lowRank]
      }
    let x = try observations.inDouble()
    return try solveInDouble(&vectors) { (solution) throws(FisherError) in
      try solve(&solution, by: routes) { (route, solution) throws(FisherError) in
        let factorOrder = route == .dense ? order : x.samples
        try checkMemory(
          try Matrix<Double>.bytes(rows: factorOrder, columns: factorOrder), memoryCap,
          "Cholesky factor of order \(factorOrder)", instead: "a larger cap is needed")
        let inverse: any DampedInverse<Double> =
          route == .dense
          ? try GramFactor(x, nu: nu, damping: damping)
          : try SharedKernelFactor(x, nu: nu, damping: damping, neurons: neurons)
        let product = try SampledProduct(x, ConstantCovariance(nu: nu), neurons: neurons)
        var refinement = try Refinement(product, damping: damping, isCoupled: false)
        return SolveReport(route, try refinement.solve(&solution, inverse: inverse))
      }
    }
  }

  /// The eigenvalues of the block, each m times.
  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    guard neurons > 0 else { return Spectrum([]) }
    return Spectrum(
      try spectrum(ofNeuron: 0).eigenvalues.flatMap { Array(repeating: $0, count: neurons) },
      unit: Double(Scalar.ulpOfOne))
  }
}

/// A_s = νI
private final class ConstantCovariance: TwofoldCovariance {
  private let nu: Double

  init(nu: Double) { self.nu = nu }

  func apply(_ z: inout TwofoldMatrix) { z.scale(by: nu) }
  func diagonal(into weights: inout Matrix<Double>) { weights.fill(with: nu) }
}

/// ν (1/n) X̃ᵀX̃ + λI, factored.
private final class GramFactor: DampedInverse {
  private let factor: Matrix<Double>

  init(_ x: Observations<Double>, nu: Double, damping: Double) throws(FisherError) {
    let d = x.inputs.columns
    var factor = try Matrix<Double>(rows: d, columns: d, what: "Cholesky factor of order \(d)")
    factor.setToGram(x.inputs, alpha: nu / Double(x.samples), beta: 0)
    try factor.factor(damping: damping, parameter: "Fisher matrix")
    self.factor = factor
  }

  var bytes: Int { factor.bytes }

  func solve(_ vectors: inout Matrix<Double>) { vectors.solve(factor: factor) }
}

/// The same by K = JJᵀ + λI with J = √(ν/n) X̃: x = (v − JᵀK⁻¹Jv)/λ, mended once as in ``LowRankFactor``.
private final class SharedKernelFactor: DampedInverse {
  private let observations: Observations<Double>
  private let scale: Double
  private let damping: Double
  private let factor: Matrix<Double>
  private var q: Matrix<Double>
  private var rest: Matrix<Double>
  private var solution: Matrix<Double>

  init(_ x: Observations<Double>, nu: Double, damping: Double, neurons: Int) throws(FisherError) {
    try requirePositive(damping)
    let n = x.samples
    scale = (nu / Double(n)).squareRoot()
    var factor = try Matrix<Double>(rows: n, columns: n, what: "kernel matrix of \(n) samples")
    factor.setToProduct(
      x.inputs, .none, x.inputs, .transposed, inner: x.inputs.columns, outputColumns: n, alpha: nu / Double(n))
    try factor.factor(damping: damping, parameter: "Fisher matrix, kernel matrix of \(n) samples")
    q = try Matrix(rows: neurons, columns: n, what: "coefficients of the samples")
    rest = try Matrix(rows: neurons, columns: n, what: "coefficients of the samples")
    solution = try Matrix(rows: neurons, columns: x.inputs.columns, what: "solution")
    self.factor = factor
    self.damping = damping
    observations = x
  }

  var bytes: Int { factor.bytes + q.bytes + rest.bytes + solution.bytes }

  func solve(_ vectors: inout Matrix<Double>) {
    let (n, d) = (observations.samples, observations.inputs.columns)
    q.setToProduct(vectors, .none, observations.inputs, .transposed, inner: d, outputColumns: n, alpha: scale)
    q.solve(factor: factor)
    solution.copy(from: vectors)
    solution.setToProduct(
      q, .none, observations.inputs, .none, inner: n, outputColumns: d, alpha: -scale / damping, beta: 1 / damping)
    rest.copy(from: q)
    rest.setToProduct(
      solution, .none, observations.inputs, .transposed, inner: d, outputColumns: n, alpha: -scale, beta: 1)
    rest.solve(factor: factor)
    solution.setToProduct(
      rest, .none, observations.inputs, .none, inner: n, outputColumns: d, alpha: scale, beta: 1)
    vectors.copy(from: solution)
  }
}
