/// A layer that a model's file can keep. All of how that is done for a kind of layer is here, in its own file: what makes it
/// this one of its kind, its numbers by name, and how it is made again.
///
/// A kind that is not built in has to be handed over where a file is read:
/// `Sequential<Float>(contentsOf: path, batchCapacity: 50, layers: [MyLayer<Float>.self])`.
public protocol KeepableLayer<Scalar>: Layer {
  /// What makes it this one of its kind beside its widths, numbers and parts, as JSON has it.
  associatedtype Settings: Codable
  /// What files call this kind of layer; no two have the same.
  static var kind: String { get }
  /// - Parameter place: names the file and the layer in an error.
  /// - Throws: ``DataError`` for what could not be made again.
  func settings(place: String) throws(DataError) -> Settings
  /// The layers that it is made of, and where they are in it, such as `body`: the names of their tensors begin so. By default
  /// none.
  var keptParts: [(place: String, layer: any Layer<Scalar>)] { get }
  /// The names and shapes of its tensors, those of its parts aside, of a layer that is not made yet: they are compared with
  /// those of the file before anything is allocated. By default none.
  static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor]
  /// Hands its numbers over, or takes those of a file: one after the other, by the names of ``tensors(of:)``. By default none.
  func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError)
  /// Makes it again; its numbers come after.
  init(_ kept: KeptLayer<Scalar>, settings: Settings) throws
  /// It in a few words, such as "784 to 80"; by default its widths and settings.
  static func summary(of record: LayerRecord, settings: Settings) -> [String]
}

/// Of a layer that is told by its widths and numbers alone.
public struct NoSettings: Codable, Sendable {
  public init() {}
}

extension KeepableLayer {
  public var keptParts: [(place: String, layer: any Layer<Scalar>)] { [] }
  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] { [] }
  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {}
  public static func summary(of record: LayerRecord, settings: Settings) -> [String] { record.plainSummary }
}

extension KeepableLayer where Settings == NoSettings {
  public func settings(place: String) -> NoSettings { NoSettings() }
}

/// The kinds that a file knows by their names. What is not in it has to be handed over where a file is read.
func builtInLayers<S: KernelScalar>(_: S.Type = S.self) -> [any KeepableLayer<S>.Type] {
  [
    AveragePooling<S>.self, BatchNormalization<S>.self, Convolution<S>.self, Dense<S>.self, Dropout<S>.self,
    Flatten<S>.self, GroupNormalization<S>.self, LayerNormalization<S>.self, MaxPooling<S>.self, Parallel<S>.self,
    Residual<S>.self, RMSNormalization<S>.self, Sequential<S>.self,
  ]
}

/// A layer that a file has, while it is made again.
public struct KeptLayer<Scalar: KernelScalar> {
  public let record: LayerRecord
  /// Names the file and the layer, for an error.
  public let place: String
  /// The layers that it is made of, in the order of ``KeepableLayer/keptParts``.
  public let parts: [any Layer<Scalar>]
  /// Activations that are not built in.
  let activations: [any Activation]

  public func activation(_ record: ActivationRecord) throws(DataError) -> any Activation {
    try record.activation(others: activations, place: place)
  }

  public func subsystem(_ record: SubsystemRecord) throws(DataError) -> any Subsystem {
    try record.subsystem(others: activations, place: place)
  }

  /// For settings that do not go together.
  public var mistake: DataError {
    DataError(place, expected: "a \(record.kind) layer with what belongs to it", found: "another")
  }

  /// Its only part, where it is to have one.
  public func onlyPart() throws(DataError) -> any Layer<Scalar> {
    guard parts.count == 1 else {
      throw DataError(place, expected: "one layer in a \(record.kind) layer", found: "\(parts.count)")
    }
    return parts[0]
  }
}
