/// A relative Fisher information matrix Ĝ = (1/n) Σ_s g(θ | r_s) as a value: the matrix of a subsystem's parameters W
/// (m,d), estimated from the samples that it was formed with.
///
/// It has order md, neuron by neuron: entry (a, b) of block (i, j) belongs to weights w_ia and w_jb. Vectors of that
/// space are matrices (m,d) like W. A value does not change once it is made, and may be looked at from several tasks at once.
///
///     let layer = NonlinearLayer(Tanh())
///     let fisher = try layer.rfim(inputs: x, preactivations: z)     // X̃ (n,d), z = X̃Wᵀ (n,m)
///     print(try fisher.spectrum().effectiveDimension(damping: 0.005))
///     try fisher.solve(&gradient, damping: 0.005)                   // the natural gradient
///
/// What a subsystem's matrix is, is said where it is made: ``NeuronBlocks``, ``SharedBlock`` and ``SampledBlock``.
public protocol RFIM<Scalar>: AnyObject, Sendable {
  associatedtype Scalar: KernelScalar
  /// The number of neurons m, and of their weights d, the bias included.
  var neurons: Int { get }
  var order: Int { get }
  /// The memory that it holds.
  var bytes: Int { get }
  /// Whether blocks off the diagonal are zero: then neurons can be looked at and solved for one by one.
  var isBlockDiagonal: Bool { get }

  /// The whole matrix (md, md).
  ///
  /// - Throws: `exceedsMemoryCap` when its (md)² elements take more than the cap.
  func dense(memoryCap: Int) throws(FisherError) -> Matrix<Scalar>
  /// Block (i, j), a (d,d) matrix.
  func block(_ i: Int, _ j: Int) throws(FisherError) -> Matrix<Scalar>
  /// product (m,d) = Ĝ V for V (m,d). The two are different matrices.
  func multiply(_ product: inout Matrix<Scalar>, _ vectors: borrowing Matrix<Scalar>) throws(FisherError)
  /// Replaces V (m,d) by (Ĝ + λI)⁻¹V, right or not at all: x with ‖x − x*‖ ≤ 10⁻⁹ ‖x*‖, for each neuron of a
  /// block-diagonal matrix, and rounded to `Scalar` then. (Conjugate gradients that are asked for promise a residual
  /// instead.) x* is the exact solution with the X̃, z or ν and λ given, but for the rounding of ν, of η or of slopes to
  /// double precision, which moves x* by about 10⁻¹⁶ times the square root of the condition number.
  ///
  /// So `Float` samples are widened and all work is done in double precision, with residuals in twice that: see
  /// `Refinement`. Samples are kept for it.
  ///
  /// - Returns: how it was done.
  /// - Throws: `invalidArgument` for a λ that is negative or not finite; `notPositiveDefinite` where Ĝ + λI is singular
  ///   to double precision, `inaccurate` where it is so close to it that the promise cannot be kept, both after every
  ///   route that fits has been tried if the route is left open; `exceedsMemoryCap`; `notConverged`.
  @discardableResult
  func solve(
    _ vectors: inout Matrix<Scalar>, damping: Double, route: SolveRoute, memoryCap: Int
  ) throws(FisherError) -> SolveReport
  /// All md eigenvalues.
  func spectrum(memoryCap: Int) throws(FisherError) -> Spectrum
}

/// The memory that a call may take unless it is told otherwise.
public let defaultMemoryCap = 1 << 32

extension RFIM {
  @discardableResult
  public func solve(_ vectors: inout Matrix<Scalar>, damping: Double) throws(FisherError) -> SolveReport {
    try solve(&vectors, damping: damping, route: .automatic, memoryCap: defaultMemoryCap)
  }

  public func dense() throws(FisherError) -> Matrix<Scalar> { try dense(memoryCap: defaultMemoryCap) }

  public func spectrum() throws(FisherError) -> Spectrum { try spectrum(memoryCap: defaultMemoryCap) }

  /// The eigenvalues of neuron i's own block.
  public func spectrum(ofNeuron i: Int) throws(FisherError) -> Spectrum {
    var block = try block(i, i)
    return Spectrum(try block.symmetricEigenvalues(), unit: Double(Scalar.ulpOfOne))
  }

  func checkShape(_ vectors: borrowing Matrix<Scalar>) {
    demand(
      vectors.rows == neurons && vectors.columns == order,
      "vectors of \(vectors.rows)×\(vectors.columns), expected \(neurons)×\(order)")
  }

  func checkIndex(_ i: Int) { demand(i >= 0 && i < neurons, "neuron \(i) is outside 0 ..< \(neurons)") }
}

func checkDamping(_ damping: Double) throws(FisherError) {
  try require(damping >= 0 && damping <= 1e30, "damping", expected: "a number from 0 to 1e30", found: damping)
}

/// Refuses a request that would take more than the cap.
func checkMemory(_ bytes: Int, _ cap: Int, _ what: String, instead: String) throws(FisherError) {
  guard bytes <= cap else { throw .exceedsMemoryCap(what: what, bytes: bytes, cap: cap, instead: instead) }
}
