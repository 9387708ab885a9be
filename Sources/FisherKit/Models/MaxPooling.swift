/// The largest number of each window, channel by channel; a NaN is the largest.
///
/// Cost of a mini-batch: a comparison for each input of each window forward, an addition for each output backward. Memory: the
/// place of each largest one, 4 bytes.
public final class MaxPooling<Scalar: KernelScalar>: Layer {
  public let window: ImageWindow
  public let channels: Int
  private var places: AlignedBuffer<Int32>

  /// - Throws: `invalidArgument` where there are no channels; `sizeOverflow` or `outOfMemory`.
  public init(_ window: ImageWindow, channels: Int) throws(FisherError) {
    try Extent(channels: channels, positions: window.image.count).validate("pooling: channels")
    (self.window, self.channels) = (window, channels)
    places = try AlignedBuffer(count: 0, what: "pooling: places")
  }

  public var inputExtent: Extent { Extent(channels: channels, positions: window.image.count) }
  public var outputExtent: Extent { Extent(channels: channels, positions: window.outputs.count) }
  public var takesBias: Bool { false }
  public var parameters: [Parameter<Scalar>] { [] }
  public var bytes: Int { stateBytes }
  public var settings: [String: String] { ["window": "\(window)"] }

  public func visit(_ visitor: StateVisitor) throws {
    visitor.scratch("places of the largest", bytes: places.count * MemoryLayout<Int32>.stride)
  }

  public func prepare(batchCapacity capacity: Int) throws(FisherError) {
    let what = "pooling: places of the largest"
    let (count, overflow) = try outputExtent.rows(samples: capacity, what).multipliedReportingOverflow(by: channels)
    guard !overflow else { throw .sizeOverflow(what: what) }
    places = try AlignedBuffer(count: count, what: what)
  }

  public func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows / window.image.count * window.outputs.count)
    output.setToLargest(of: input, channels: channels, window, places: places)
  }

  public func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}

  public func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {
    inputDelta.resize(rows: delta.rows / window.outputs.count * window.image.count)
    inputDelta.setToLargestBackward(delta, channels: channels, window, places: places)
  }

  public func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}

// MARK: In a file

extension MaxPooling: KeepableLayer {
  public static var kind: String { "max pooling" }
  public func settings(place: String) -> ImageWindow { window }
  public convenience init(_ kept: KeptLayer<Scalar>, settings: ImageWindow) throws {
    try self.init(settings, channels: kept.record.inputs)
  }
  public static func summary(of record: LayerRecord, settings: ImageWindow) -> [String] { ["\(settings)"] }
}

// MARK: In a description

extension MaxPooling: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    let (window, channels) = try model.pooling(description)
    return try MaxPooling(window, channels: channels)
  }
}

extension ModelUnderConstruction {
  /// The window of a pooling layer, which moves by its own size unless it is told otherwise, and its channels.
  mutating func pooling(_ description: LayerDescription) throws -> (ImageWindow, Int) {
    let image = try requireImage(description.place)
    guard !image.isFeatures else {
      throw DataError(description.place, expected: "a convolution before pooling", found: "the model's input")
    }
    let window = try window(description, stride: try description.size("kernel"))
    self.image = .init(size: window.outputs, channels: image.channels, isFeatures: false)
    return (window, image.channels)
  }
}
