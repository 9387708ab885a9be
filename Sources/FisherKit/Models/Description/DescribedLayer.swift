/// A layer that a model's description can name: what its kind makes of it, in its own file.
public protocol DescribedLayer<Scalar>: KeepableLayer {
  /// - Parameter model: what the layers before hand over, and what all layers have in common.
  static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar>
}

/// What a description has come to so far.
public struct ModelUnderConstruction<Scalar: KernelScalar> {
  /// What the next layer gets.
  public internal(set) var extent: Extent
  /// How its positions, or its features, make an image; `nil` where they do not.
  public internal(set) var image: Image?
  /// Classes, or the numbers of a target: the outputs of a last layer that says none.
  public let outputs: Int
  /// What the last layer is measured by.
  let outputSubsystem: any Subsystem
  /// Whether the layer under way is the last one.
  public internal(set) var isLast = false
  /// How many layers there are so far, those in others among them.
  var count = 0
  /// Whether it is left to a first-order optimizer.
  public internal(set) var isMeasured = true
  /// The activation of layers that name none.
  public let activation: any Activation
  public var generator: SeededGenerator
  /// The name of the layer under way.
  public internal(set) var name = ""

  /// An image with its channels; and whether a sample is one row of features.
  public struct Image: Equatable, Sendable {
    public var size: ImageWindow.Size
    public var channels: Int
    public var isFeatures: Bool
  }

  /// The image that a layer of windows gets.
  public func requireImage(_ place: String) throws(DataError) -> Image {
    guard let image else {
      throw DataError(place, expected: "an image or a series as its input", found: "\(extent)")
    }
    return image
  }

  /// The window of a layer over it: kernel, stride, padding ("same" where it keeps the size) and dilation.
  public func window(_ description: LayerDescription, stride usual: ImageWindow.Size? = nil) throws -> ImageWindow {
    let image = try requireImage(description.place).size
    guard let kernel = try description.size("kernel") else {
      throw DataError(description.place, expected: "kernel, a number or two", found: "none")
    }
    let stride = try description.size("stride") ?? usual ?? ImageWindow.Size(1, 1)
    let dilation = try description.size("dilation") ?? ImageWindow.Size(1, 1)
    // (a series is one line)
    func flat(_ size: ImageWindow.Size, _ line: Int) -> ImageWindow.Size {
      image.height == 1 ? ImageWindow.Size(line, size.width) : size
    }
    var padding = ImageWindow.Size(0, 0)
    if case .text("same")? = description.raw("padding") {
      padding = ImageWindow.Size((kernel.height - 1) * dilation.height / 2, (kernel.width - 1) * dilation.width / 2)
    } else if let given = try description.size("padding", from: 0) {
      padding = given
    }
    do throws(FisherError) {
      return try ImageWindow(
        image, kernel: flat(kernel, 1), stride: flat(stride, 1), padding: flat(padding, 0), dilation: flat(dilation, 1))
    } catch {
      guard case .invalidArgument(_, let expected, let found) = error else { throw error }
      throw DataError(description.place, expected: expected, found: found)
    }
  }
}
