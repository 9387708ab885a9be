/// Batch normalisation (Ioffe & Szegedy 2015) of the outputs of the layer below, channel by channel:
/// y = γ (x − μ)/√(σ² + ε) + β.
///
/// A training pass takes μ and σ² of the mini-batch, and moves the running statistics towards them; an evaluation takes
/// the running statistics, so that what it makes of a sample does not depend on the samples beside it.
///
/// Its parameter is (channels, 2), a row (γ, β), which no weight decay shrinks. By default it takes plain gradients, as in
/// the paper's experiment. Cost of a mini-batch of n: some 8nm operations forward and 10nm backward, in passes over
/// memory.
public final class BatchNormalization<Scalar: KernelScalar>: Layer {
  public let channels: Int
  /// ε, added to variances.
  public let epsilon: Double
  /// What a step leaves of the running statistics: r ← decay · r + (1 − decay) · batch.
  public let decay: Double
  public let scales: Parameter<Scalar>
  /// μ and σ² for evaluations (1, channels), from 0 and 1 on; σ² is the mean square deviation of mini-batches.
  private var runningMean: Matrix<Scalar>
  private var runningVariance: Matrix<Scalar>
  private var mean: Matrix<Scalar>
  private var variance: Matrix<Scalar>
  /// x̂ of the last training pass.
  private var normalized: Matrix<Scalar>

  public init(
    channels: Int, epsilon: Double = 1e-3, decay: Double = 0.99, name: String = "batch normalisation"
  ) throws(FisherError) {
    precondition(channels > 0, "at least one channel")
    try require(epsilon > 0 && epsilon <= 1e30, "epsilon", expected: "a positive number", found: epsilon)
    try require(decay >= 0 && decay < 1, "decay", expected: "a number in [0, 1)", found: decay)
    (self.channels, self.epsilon, self.decay) = (channels, epsilon, decay)
    scales = try Parameter(name: name, neurons: channels, order: 2, subsystem: nil, isDecayed: false)
    for c in 0..<channels { scales.value[c, 0] = 1 }
    runningMean = try Matrix(rows: 1, columns: channels, what: "\(name): running means")
    runningVariance = try Matrix(rows: 1, columns: channels, what: "\(name): running variances")
    runningVariance.fill(with: 1)
    mean = try Matrix(rows: 1, columns: channels, what: "\(name): means")
    variance = try Matrix(rows: 1, columns: channels, what: "\(name): variances")
    normalized = try Matrix(rows: 0, columns: channels)
  }

  public var inputs: Int { channels }
  public var outputs: Int { channels }
  public var parameters: [Parameter<Scalar>] { [scales] }
  public var bytes: Int {
    scales.bytes + normalized.bytes + runningMean.bytes + runningVariance.bytes + mean.bytes + variance.bytes
  }

  /// What evaluations use, in the order of the channels.
  public var runningStatistics: (means: [Double], variances: [Double]) {
    ((0..<channels).map { Double(runningMean[0, $0]) }, (0..<channels).map { Double(runningVariance[0, $0]) })
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    normalized = try Matrix(rows: capacity, columns: channels, what: "\(scales.name): normalised inputs")
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    normalized.resize(rows: input.rows)
    output.setToBatchNorm(
      of: input, normalized: &normalized, mean: &mean, variance: &variance, scales: scales.value, epsilon: epsilon)
    runningMean.combine(decay, 1 - decay, mean)
    runningVariance.combine(decay, 1 - decay, variance)
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    output.setToBatchNorm(
      of: input, mean: runningMean, variance: runningVariance, scales: scales.value, epsilon: epsilon)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    delta.batchNormBackward(
      gradient: &scales.gradient, normalized: normalized, variance: variance, scales: scales.value, epsilon: epsilon)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows)
    inputDelta.copy(from: delta)
  }

  public func observe(
    input: borrowing Matrix<Scalar>,
    _ body: (_ parameter: Int, _ inputs: borrowing Matrix<Scalar>, _ preactivations: borrowing Matrix<Scalar>)
      throws(FisherError) -> Void
  ) throws(FisherError) {}
}
