/// The mean over each window, channel by channel, zeros outside of the image among its numbers; of the whole image with
/// ``ImageWindow/global(_:)``.
///
/// Cost of a mini-batch: an addition for each input of each window, forward and backward. Memory: none.
public final class AveragePooling<Scalar: KernelScalar>: Layer {
  public let window: ImageWindow
  public let channels: Int

  /// - Throws: `invalidArgument` where there are no channels.
  public init(_ window: ImageWindow, channels: Int) throws(FisherError) {
    try Extent(channels: channels, positions: window.image.count).validate("pooling: channels")
    (self.window, self.channels) = (window, channels)
  }

  public var inputExtent: Extent { Extent(channels: channels, positions: window.image.count) }
  public var outputExtent: Extent { Extent(channels: channels, positions: window.outputs.count) }
  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [] }
  public var bytes: Int { 0 }
  public var settings: [String: String] { ["window": "\(window)"] }

  public func visit(_ visitor: StateVisitor) {}
  public func prepare(batchCapacity capacity: Int) throws(FisherError) {}

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows / window.image.count * window.outputs.count)
    output.setToMean(of: input, channels: channels, window)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows / window.outputs.count * window.image.count)
    inputDelta.setToMeanBackward(delta, channels: channels, window)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}

// MARK: In a file

extension AveragePooling: KeepableLayer {
  public static var kind: String { "average pooling" }
  public func settings(place: String) -> ImageWindow { window }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: ImageWindow) throws {
    try self.init(settings, channels: kept.record.inputs)
  }
  public static func summary(of record: LayerRecord, settings: ImageWindow) -> [String] { ["\(settings)"] }
}

// MARK: In a description

extension AveragePooling: DescribedLayer {
  /// Without a kernel it is the mean of the whole image.
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    if description.has("kernel") {
      let (window, channels) = try model.pooling(description)
      return try AveragePooling(window, channels: channels)
    }
    let image = try model.requireImage(description.place)
    model.image = .init(size: 1, channels: image.channels, isFeatures: false)
    return try AveragePooling(try .global(image.size), channels: image.channels)
  }
}
