/// Group normalisation (Wu & He 2018): each group of channels of a sample to mean 0 and variance 1 over all its positions, then
/// γx̂ + β by channel.
///
/// Cost of a mini-batch of n rows: 8 n·channels flops forward, 12 backward. Memory: x̂, and a number for each group of each
/// sample.
public final class GroupNormalization<Scalar: KernelScalar>: GroupedNormalization<Scalar> {
  /// A layer with scales of 1 and shifts of 0.
  ///
  /// - Parameters:
  ///   - groups: of channels, which divide them.
  ///   - subsystem: `nil` leaves its parameters to the plain gradient; ``BatchNorm`` gives each channel its block.
  ///   - positions: how many rows a sample has.
  /// - Throws: `invalidArgument` where there are no channels, groups do not divide them, or `epsilon` is not in (0, 1e30].
  public init(
    channels: Int, groups: Int, epsilon: Double = 1e-5, subsystem: BatchNorm? = nil, positions: Int = 1,
    name: String = "group normalisation"
  ) throws(FisherError) {
    try super.init(
      Extent(channels: channels, positions: positions), groups: groups, overPositions: true, isCentred: true,
      epsilon: epsilon, subsystem: subsystem, name: name)
  }

  public var groups: Int { shape.groups }
  public override var settings: [String: String] { super.settings.merging(["groups": "\(groups)"]) { $1 } }
}

// MARK: In a file

extension GroupNormalization: KeepableLayer {
  public struct Settings: Codable {
    var groups: Int
    var epsilon: Double
    /// `nil` leaves its parameters to the plain gradient.
    var measuredBy: SubsystemRecord?

    enum CodingKeys: String, CodingKey {
      case groups, epsilon
      case measuredBy = "measured_by"
    }
  }

  public static var kind: String { "group normalisation" }

  public func settings(place: String) throws(DataError) -> Settings {
    Settings(groups: groups, epsilon: epsilon, measuredBy: try parameter.subsystemRecord(place: place))
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    ["weight", "bias"].map { .init($0, [record.outputs]) }
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(
      channels: kept.record.outputs, groups: settings.groups, epsilon: settings.epsilon,
      subsystem: try kept.subsystem(settings.measuredBy, as: BatchNorm.self),
      positions: kept.record.outputExtent.positions, name: try kept.requireName())
  }

  public static func summary(of record: LayerRecord, settings: Settings) -> [String] {
    record.summary(["\(settings.groups) groups", "epsilon \(settings.epsilon)"], measuredBy: settings.measuredBy)
  }
}

// MARK: In a description

extension GroupNormalization: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    try GroupNormalization(
      channels: model.extent.channels, groups: try description.count("groups") ?? 1,
      epsilon: try description.number("epsilon") ?? 1e-5,
      subsystem: model.isMeasured ? BatchNorm() : nil, positions: model.extent.positions, name: model.name)
  }
}
