internal import CKernels

/// Where the windows of a convolution or of pooling go over an image of height × width positions: the output at (y, x) is of
/// the inputs at (y · stride − padding + i · dilation, …) for i below the kernel's height, and the same across; zeros outside
/// of the image. A series is an image of one line.
public struct ImageWindow: Equatable, Sendable, CustomStringConvertible {
  /// Numbers down and across.
  public struct Size: Equatable, Sendable, Codable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    public var height: Int
    public var width: Int

    public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
    /// The same both ways.
    public init(integerLiteral value: Int) { self.init(value, value) }

    public var description: String { "\(height)×\(width)" }
    var count: Int { height * width }
  }

  /// Of the image that goes in.
  public var image: Size
  public var kernel: Size
  public var stride: Size
  public var padding: Size
  public var dilation: Size

  /// - Throws: `invalidArgument` where a size, stride or dilation is below 1, the padding is negative or reaches as far as the
  ///   window does, or the window is larger than the padded image.
  public init(
    _ image: Size, kernel: Size, stride: Size = 1, padding: Size = 0, dilation: Size = 1
  ) throws(FisherError) {
    (self.image, self.kernel, self.stride, self.padding, self.dilation) = (image, kernel, stride, padding, dilation)
    _ = try checkedOutputs()
  }

  /// Over a series of so many positions.
  public init(
    length: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1
  ) throws(FisherError) {
    try self.init(
      Size(1, length), kernel: Size(1, kernel), stride: Size(1, stride), padding: Size(0, padding),
      dilation: Size(1, dilation))
  }

  /// The whole image.
  public static func global(_ image: Size) throws(FisherError) -> ImageWindow { try ImageWindow(image, kernel: image) }

  /// Of what comes out.
  public var outputs: Size {
    guard let outputs = try? checkedOutputs() else { fatalError("a window that was changed to \(self)") }
    return outputs
  }

  private func checkedOutputs() throws(FisherError) -> Size {
    var (window, height, width) = (raw, 0, 0)
    let status = fk_window_outputs(&window, &height, &width)
    if status == FK_SIZE_OVERFLOW { throw .sizeOverflow(what: "positions of \(self)") }
    guard status == FK_OK else {
      throw .invalidArgument(
        what: "window",
        expected:
          "sizes, strides and dilations from 1, a padding less than the window's reach, and a window within the "
          + "padded image", found: "\(self)")
    }
    return Size(height, width)
  }

  var raw: fk_window {
    fk_window(
      height: image.height, width: image.width, kernel_height: kernel.height, kernel_width: kernel.width,
      stride_y: stride.height, stride_x: stride.width, padding_y: padding.height, padding_x: padding.width,
      dilation_y: dilation.height, dilation_x: dilation.width)
  }

  public var description: String {
    "\(kernel) over \(image)" + (stride == 1 ? "" : ", stride \(stride)") + (padding == 0 ? "" : ", padding \(padding)")
      + (dilation == 1 ? "" : ", dilation \(dilation)")
  }
}

extension ImageWindow: Codable {
  enum CodingKeys: String, CodingKey { case image, kernel, stride, padding, dilation }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      try values.decode(Size.self, forKey: .image), kernel: try values.decode(Size.self, forKey: .kernel),
      stride: try values.decode(Size.self, forKey: .stride), padding: try values.decode(Size.self, forKey: .padding),
      dilation: try values.decode(Size.self, forKey: .dilation))
  }
}
