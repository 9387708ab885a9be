/// Normalisation by the root mean square (Zhang & Sennrich 2019): each row over that of its channels, then γx̂ by channel.
///
/// Cost of a mini-batch of n rows: 6 n·channels flops forward, 10 backward. Memory: x̂, and a number for each row.
public final class RMSNormalization<Scalar: KernelScalar>: GroupedNormalization<Scalar> {
  /// A layer with scales of 1.
  ///
  /// - Parameters:
  ///   - subsystem: `nil` leaves its parameters to the plain gradient; ``ScaleNorm`` gives each channel its block.
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no channels or `epsilon` is not in (0, 1e30].
  public init(
    channels: Int, epsilon: Double = 1e-5, subsystem: ScaleNorm? = nil, positions: Int = 1,
    name: String = "rms normalisation"
  ) throws(FisherError) {
    try super.init(
      Extent(channels: channels, positions: positions), groups: 1, overPositions: false, isCentred: false,
      epsilon: epsilon, subsystem: subsystem, name: name)
  }
}

// MARK: In a file

extension RMSNormalization: KeepableLayer {
  public static var kind: String { "rms normalisation" }

  public func settings(place: String) throws(DataError) -> NormalizationSettings {
    NormalizationSettings(epsilon: epsilon, measuredBy: try parameter.subsystemRecord(place: place))
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    [.init("weight", [record.outputs])]
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: NormalizationSettings) throws {
    try self.init(
      channels: kept.record.outputs, epsilon: settings.epsilon,
      subsystem: try kept.subsystem(settings.measuredBy, as: ScaleNorm.self),
      positions: kept.record.outputExtent.positions, name: try kept.requireName())
  }

  public static func summary(of record: LayerRecord, settings: NormalizationSettings) -> [String] {
    record.summary(["epsilon \(settings.epsilon)"], measuredBy: settings.measuredBy)
  }
}

// MARK: In a description

extension RMSNormalization: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    try RMSNormalization(
      channels: model.extent.channels, epsilon: try description.number("epsilon") ?? 1e-5,
      subsystem: model.isMeasured ? ScaleNorm() : nil, positions: model.extent.positions, name: model.name)
  }
}
