/// Layer normalisation (Ba, Kiros & Hinton 2016): each row to mean 0 and variance 1 over its channels, then γx̂ + β by channel.
///
/// Cost of a mini-batch of n rows: 8 n·channels flops forward, 12 backward. Memory: x̂, and a number for each row.
public final class LayerNormalization<Scalar: KernelScalar>: GroupedNormalization<Scalar> {
  /// A layer with scales of 1 and shifts of 0.
  ///
  /// - Parameters:
  ///   - subsystem: `nil` leaves its parameters to the plain gradient; ``BatchNorm`` gives each channel its block.
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no channels or `epsilon` is not in (0, 1e30].
  public init(
    channels: Int, epsilon: Double = 1e-5, subsystem: BatchNorm? = nil, positions: Int = 1,
    name: String = "layer normalisation"
  ) throws(FisherError) {
    try super.init(
      Extent(channels: channels, positions: positions), groups: 1, overPositions: false, isCentred: true,
      epsilon: epsilon, subsystem: subsystem, name: name)
  }
}

// MARK: In a file

extension LayerNormalization: KeepableLayer {
  public static var kind: String { "layer normalisation" }

  public func settings(place: String) throws(DataError) -> NormalizationSettings {
    NormalizationSettings(epsilon: epsilon, measuredBy: try parameter.subsystemRecord(place: place))
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    ["weight", "bias"].map { .init($0, [record.outputs]) }
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: NormalizationSettings) throws {
    try self.init(
      channels: kept.record.outputs, epsilon: settings.epsilon,
      subsystem: try kept.subsystem(settings.measuredBy, as: BatchNorm.self),
      positions: kept.record.outputExtent.positions, name: try kept.requireName())
  }

  public static func summary(of record: LayerRecord, settings: NormalizationSettings) -> [String] {
    record.summary(["epsilon \(settings.epsilon)"], measuredBy: settings.measuredBy)
  }
}

// MARK: In a description

extension LayerNormalization: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    try LayerNormalization(
      channels: model.extent.channels, epsilon: try description.number("epsilon") ?? 1e-5,
      subsystem: model.isMeasured ? BatchNorm() : nil, positions: model.extent.positions, name: model.name)
  }
}
