/// Group normalisation (Wu & He 2018): each group of channels of a sample to mean 0 and variance 1 over all its positions, then
/// γx̂ + β by channel.
///
/// Cost of a mini-batch of n rows: 8 n·channels flops forward, 12 backward. Memory: x̂, and a number for each group of each
/// sample.
public final class GroupNormalization<Scalar: KernelScalar>: Layer {
  private let core: GroupNormCore<Scalar>

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
    core = try GroupNormCore(
      Extent(channels: channels, positions: positions), groups: groups, overPositions: true, isCentred: true,
      epsilon: epsilon, subsystem: subsystem, name: name)
  }

  public var groups: Int { core.shape.groups }
  public var epsilon: Double { core.shape.epsilon }
  public var inputExtent: Extent { core.extent }
  public var outputExtent: Extent { core.extent }
  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [core.parameter] }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["epsilon": "\(epsilon)", "groups": "\(groups)"] }

  public func visit(_ visitor: StateVisitor) throws { try core.visit(visitor) }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) { try core.prepare(batchCapacity: capacity) }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    core.forward(input, into: &output)
  }

  /// Leaves ∂L/∂input in delta.
  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) { core.backward(&delta) }

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.copy(from: delta)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) throws(FisherError) {
    try core.observe(body)
  }
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
    var settings = Settings(groups: groups, epsilon: epsilon)
    if let subsystem = core.parameter.subsystem {
      settings.measuredBy = try SubsystemRecord(subsystem, place: place)
    }
    return settings
  }

  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    ["weight", "bias"].map { .init($0, [record.outputs]) }
  }

  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) { try core.exchange(&tensors) }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    var subsystem: (any Subsystem)?
    if let record = settings.measuredBy { subsystem = try kept.subsystem(record) }
    guard subsystem == nil || subsystem is BatchNorm, let name = kept.record.name else { throw kept.mistake }
    try self.init(
      channels: kept.record.outputs, groups: settings.groups, epsilon: settings.epsilon,
      subsystem: subsystem as? BatchNorm, positions: kept.record.outputExtent.positions, name: name)
  }

  public static func summary(of record: LayerRecord, settings: Settings) -> [String] {
    ["\(record.outputExtent) channels", "\(settings.groups) groups", "epsilon \(settings.epsilon)"]
      + (settings.measuredBy.map { ["measured as \($0.summary)"] } ?? [])
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
