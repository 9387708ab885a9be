import Foundation

/// Ĝ = (1/n) Σ_s A_s ⊗ x̃_sx̃_sᵀ, a layer whose neurons are coupled: a sum of Kronecker products, so it is kept as its
/// samples and multiplied without being formed. A softmax layer has A_s = diag η_s − η_sη_sᵀ (eq 10), a hidden layer
/// seen through the layer above it A_s = F_s Cᵀ O_s C F_s (eq 12).
///
/// Memory: the n samples X̃ and what makes the A_s, in `Float` with z or what else those are recomputed from for a solve. A product costs 4nmd flops and more by little; the dense matrix
/// n m(m+1)/2 d(d+1) and (md)² elements. Nothing of size n×d×d or n×m×m is made.
public final class SampledBlock<Scalar: KernelScalar>: RFIM, @unchecked Sendable {
  let observations: Observations<Scalar>
  let covariance: any SampleCovariance<Scalar>
  private let source: (any CovarianceSource)?
  /// Held while the A_s are applied: they have room of their own for what passes through them.
  private let turn = NSRecursiveLock()

  /// Does what applies the A_s, one caller after the other.
  func inTurn<R: ~Copyable>(_ body: () throws(FisherError) -> R) throws(FisherError) -> R {
    turn.lock()
    defer { turn.unlock() }
    return try body()
  }

  private init(
    _ observations: Observations<Scalar>, _ covariance: any SampleCovariance<Scalar>, _ source: (any CovarianceSource)?
  ) {
    demand(
      observations.samples == covariance.samples && covariance.samples > 0,
      "expected inputs of \(covariance.samples) samples, at least one")
    self.observations = observations
    self.covariance = covariance
    self.source = source
  }

  /// - Parameters:
  ///   - inputs: X̃ (n,d), bias column included; `source`: what the A_s are made of.
  convenience init(inputs x: borrowing Matrix<Scalar>, source: any CovarianceSource) throws(FisherError) {
    // (what is made in double precision is made but once)
    self.init(
      try Observations(copying: x), try source.covariance(Scalar.self), Scalar.self == Double.self ? nil : source)
  }

  /// For a metric, which solves by the factors that it keeps.
  convenience init(inputs x: borrowing Matrix<Scalar>, covariance: any SampleCovariance<Scalar>) throws(FisherError) {
    self.init(try Observations(copying: x), covariance, nil)
  }

  /// The same matrix in double precision, with A_s that were computed in it: itself, or a copy.
  func inDouble() throws(FisherError) -> SampledBlock<Double> {
    if let same = self as? SampledBlock<Double> { return same }
    guard let source else { fatalError("a matrix made for a metric is solved by its factors") }
    return SampledBlock<Double>(try observations.inDouble(), try source.covariance(Double.self), nil)
  }

  public var neurons: Int { covariance.neurons }
  public var order: Int { observations.inputs.columns }
  public var samples: Int { observations.samples }
  public var bytes: Int { observations.inputs.bytes + covariance.bytes + (source?.bytes ?? 0) }
  public var isBlockDiagonal: Bool { false }
  /// The most that the rank of the matrix can be: nk factors of rank one.
  public var rankBound: Int { samples * covariance.rank }

  public func dense(memoryCap: Int) throws(FisherError) -> Matrix<Scalar> {
    try inTurn { () throws(FisherError) in
      var matrix = try makeDense(memoryCap: memoryCap)
      try write(to: &matrix)
      return matrix
    }
  }

  /// The whole matrix into one of its order.
  func write(to matrix: inout Matrix<Scalar>) throws(FisherError) {
    if try !covariance.fill(&matrix, inputs: observations.inputs) { try fillByRowsOfBlocks(&matrix) }
  }

  /// Blocks (i, 0 ... i) at a time, whose weights are the head of column i of every A_s.
  private func fillByRowsOfBlocks(_ matrix: inout Matrix<Scalar>) throws(FisherError) {
    var column = try Matrix<Scalar>(rows: samples, columns: neurons, what: "weights of a row of blocks")
    for i in 0..<neurons {
      covariance.column(i, into: &column)
      var head = try Matrix<Scalar>(rows: samples, columns: i + 1, what: "weights of a row of blocks")
      head.copyHead(of: column)
      let blocks = try NeuronBlocks(observations, nu: head)
      for j in 0...i { matrix.place(try blocks.block(j, j), row: i * order, column: j * order) }
    }
    matrix.symmetrize()
  }

  public func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar> {
    checkIndex(i)
    checkIndex(j)
    var column = try Matrix<Scalar>(rows: samples, columns: neurons, what: "weights of block (\(i), \(j))")
    try inTurn { () throws(FisherError) in covariance.column(j, into: &column) }
    var weights = try Matrix<Scalar>(rows: samples, columns: 1, what: "weights of block (\(i), \(j))")
    for s in 0..<samples { weights[s, 0] = column[s, i] }
    return try NeuronBlocks(observations, nu: weights).block(0, 0)
  }

  public func multiply(
    _ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>
  ) throws(FisherError) {
    checkShape(vectors)
    checkShape(product)
    turn.lock()
    defer { turn.unlock() }
    if covariance.multiply(&product, inputs: observations.inputs, vectors: vectors) { return }
    var z = try Matrix<Scalar>(rows: samples, columns: neurons, what: "pre-activations of the product")
    z.setToProduct(observations.inputs, .none, vectors, .transposed, inner: order, outputColumns: neurons)
    covariance.apply(&z)
    product.setToProduct(
      z, .transposed, observations.inputs, .none, inner: samples, outputColumns: order, alpha: 1 / Double(samples))
  }

  /// The diagonal blocks alone, which need no more than m blocks of d(d+1)/2 elements.
  public func diagonalBlocks() throws(FisherError) -> NeuronBlocks<Scalar> {
    var weights = try Matrix<Scalar>(rows: samples, columns: neurons, what: "weights of the diagonal blocks")
    try inTurn { () throws(FisherError) in try covariance.diagonal(into: &weights) }
    return try NeuronBlocks(observations, nu: weights)
  }

  /// All eigenvalues: of the whole matrix, or where it has fewer samples, of the (nk, nk) matrix that shares those which
  /// are not zero.
  public func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum {
    let size = neurons * order
    if rankBound < size {
      var kernel = try inTurn { () throws(FisherError) in try kernelMatrix(memoryCap: memoryCap) }
      return Spectrum(
        try kernel.symmetricEigenvalues() + Array(repeating: 0, count: size - rankBound),
        unit: Double(Scalar.ulpOfOne))
    }
    var dense = try dense(memoryCap: memoryCap)
    return Spectrum(try dense.symmetricEigenvalues(), unit: Double(Scalar.ulpOfOne))
  }
}
