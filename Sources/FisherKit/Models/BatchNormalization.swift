/// Batch normalisation (Ioffe & Szegedy 2015): y = γx̂ + β for each channel, with
///
///     x̂ = (x − mean)/√(variance + ε)
///
/// over the mini-batch in training, and by running averages of both in evaluation, where what comes out for a sample does
/// not depend on the samples beside it.
///
/// Cost of a mini-batch of n: 11 n·channels flops forward, 9 backward, 3 in evaluation. Memory: capacity · channels
/// elements for x̂; two cache lines and five elements a channel.
///
/// A mini-batch that is not finite, or whose variance is not, comes out as NaN, and the running averages leave it out.
public final class BatchNormalization<Scalar: KernelScalar>: Layer {
  public let channels: Int
  /// The rows that a sample has; means and variances are over all of them.
  public let positions: Int
  /// What a mini-batch leaves of the running averages.
  public let decay: Double
  public let epsilon: Double
  /// (channels, 2), row i = (γ_i, β_i). It is not decayed: γ is a scale, not a weight.
  public let parameter: Parameter<Scalar>
  /// (1, channels), 0 at the start.
  public internal(set) var runningMean: Matrix<Scalar>
  /// (1, channels), 1 at the start. It averages the unbiased variance of mini-batches, over n − 1, as published: that
  /// of the data, whatever the batch size. A mini-batch of one sample says nothing of it, and leaves it as it is.
  public internal(set) var runningVariance: Matrix<Scalar>
  private var normalized: Matrix<Scalar>
  private var statistics: ChannelStatistics<Scalar>
  /// γ = 1 and β = 0, where x̂ is asked for in evaluation too; no channels otherwise.
  private var identity: Matrix<Scalar>

  /// γ starts at 1 and β at 0.
  ///
  /// - Parameters:
  ///   - subsystem: `nil`, the default, leaves γ and β to the plain gradient, as published; ``BatchNorm`` gives each
  ///     channel its 2×2 block E[(x̂, 1)(x̂, 1)ᵀ].
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no channels, `decay` is not in [0, 1) or `epsilon` not in (0, 1e30].
  public init(
    channels: Int, decay: Double = 0.99, epsilon: Double = 1e-3, subsystem: BatchNorm? = nil, positions: Int = 1,
    name: String = "batch normalisation"
  ) throws(FisherError) {
    try Extent(channels: channels, positions: positions).validate("\(name): channels")
    self.positions = positions
    try require(decay >= 0 && decay < 1, "decay", expected: "a number in [0, 1)", found: decay)
    try require(
      Scalar(epsilon) > 0 && epsilon <= 1e30, "epsilon", expected: "a positive \(Scalar.self) to 1e30", found: epsilon)
    self.channels = channels
    self.decay = decay
    self.epsilon = epsilon
    parameter = try Parameter(
      name: name, neurons: channels, order: 2, subsystem: subsystem, isDecayed: false, positions: positions)
    runningMean = try Matrix(rows: 1, columns: channels, what: "\(name): running means")
    runningVariance = try Matrix(rows: 1, columns: channels, what: "\(name): running variances")
    normalized = try Matrix(rows: 0, columns: channels)
    statistics = try ChannelStatistics(channels: channels, name: name)
    identity = try Matrix(rows: subsystem == nil ? 0 : channels, columns: 2, what: "\(name): scales of 1")
    identity.fill(column: 0, with: 1)
    parameter.value.fill(column: 0, with: 1)
    runningVariance.fill(with: 1)
  }

  public var inputExtent: Extent { Extent(channels: channels, positions: positions) }
  public var outputExtent: Extent { inputExtent }
  public var parameters: [Parameter<Scalar>] { [parameter] }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["decay": "\(decay)", "epsilon": "\(epsilon)"] }

  public func visit(_ visitor: StateVisitor) throws {
    try visitor.child("scale and shift", parameter)
    try visitor.visit("running mean", &runningMean)
    try visitor.visit("running variance", &runningVariance)
    visitor.scratch("normalised", normalized)
    visitor.scratch("statistics", bytes: statistics.bytes)
    visitor.scratch("identity", identity)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "\(parameter.name): normalised inputs"
    normalized = try Matrix(rows: try inputExtent.rows(samples: capacity, what), columns: channels, what: what)
  }

  /// The training pass: it normalises by the mini-batch, and the running averages take note of that.
  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    normalized.resize(rows: input.rows)
    output.resize(rows: input.rows)
    output.setToNormalized(
      input, normalized: &normalized, statistics: &statistics, parameters: parameter.value, epsilon: epsilon)
    guard statistics.mean.isFinite, statistics.variance.isFinite else { return }
    runningMean.average(statistics.mean, decay: decay)
    guard input.rows > 1 else { return }
    runningVariance.average(
      statistics.variance, decay: decay, factor: Double(input.rows) / Double(input.rows - 1))
  }

  public func evaluate(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    output.setToNormalized(
      input, mean: runningMean, variance: runningVariance, parameters: parameter.value, epsilon: epsilon)
    // what is shown belongs to these samples, as in the layers beside
    guard parameter.subsystem != nil else { return }
    normalized.resize(rows: input.rows)
    normalized.setToNormalized(
      input, mean: runningMean, variance: runningVariance, parameters: identity, epsilon: epsilon)
  }

  /// Leaves ∂L/∂input in delta.
  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {
    delta.setToNormalizationBackward(
      gradient: &parameter.gradient, normalized: normalized, statistics: statistics, parameters: parameter.value)
  }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.copy(from: delta)
  }

  /// Hands over x̂ (rows, channels) for both: each channel has inputs of its own, and its outputs have unit variance whatever
  /// they are.
  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    guard parameter.subsystem != nil else { return }
    try body(0, Observation(inputs: normalized, preactivations: normalized, positions: positions))
  }
}

// MARK: In a file

extension BatchNormalization: KeepableLayer {
  public struct Settings: Codable {
    var decay: Double
    var epsilon: Double
    /// `nil` leaves γ and β to the plain gradient.
    var measuredBy: SubsystemRecord?

    enum CodingKeys: String, CodingKey {
      case decay, epsilon
      case measuredBy = "measured_by"
    }
  }

  public static var kind: String { "batch normalisation" }

  public func settings(place: String) throws(DataError) -> Settings {
    Settings(
      decay: decay, epsilon: epsilon, measuredBy: try parameter.subsystemRecord(place: place))
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    ["weight", "bias"].map { .init($0, [record.outputs]) }
      + ["running_mean", "running_var"].map { .init($0, [record.outputs], isLearned: false) }
  }

  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    try tensors.exchange("weight", &parameter.value, columns: 0..<1)
    try tensors.exchange("bias", &parameter.value, columns: 1..<2)
    try tensors.exchange("running_mean", &runningMean)
    try tensors.exchange("running_var", &runningVariance)
    if let variance = runningVariance.elements[0].first(where: { $0 < 0 }) {
      throw DataError(tensors.place, expected: "variances that are not negative", found: "\(variance)")
    }
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(
      channels: kept.record.outputs, decay: settings.decay, epsilon: settings.epsilon,
      subsystem: try kept.subsystem(settings.measuredBy, as: BatchNorm.self),
      positions: kept.record.outputExtent.positions, name: try kept.requireName())
  }

  public static func summary(of record: LayerRecord, settings: Settings) -> [String] {
    record.summary(["decay \(settings.decay)", "epsilon \(settings.epsilon)"], measuredBy: settings.measuredBy)
  }
}

// MARK: In a description

extension BatchNormalization: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    try BatchNormalization(
      channels: model.extent.channels, decay: try description.number("decay") ?? 0.99,
      epsilon: try description.number("epsilon") ?? 1e-3, subsystem: model.isMeasured ? BatchNorm() : nil,
      positions: model.extent.positions, name: model.name)
  }
}
