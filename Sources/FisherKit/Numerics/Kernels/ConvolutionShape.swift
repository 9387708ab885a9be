internal import CKernels

/// What a convolution maps: windows over images of `channels` to `outputs` channels, in groups that see
/// channels / groups of them each. In neuron i of a group its patch p̃ is what an input x̃ is to a neuron of a dense layer: the
/// window row by row, in each position the group's channels, and 1 for the bias.
public struct ConvolutionShape: Equatable, Sendable, CustomStringConvertible {
  public let window: ImageWindow
  public let channels: Int
  public let outputs: Int
  public let groups: Int

  /// - Throws: `invalidArgument` where there are no channels or outputs, or groups do not divide both.
  public init(_ window: ImageWindow, channels: Int, outputs: Int, groups: Int = 1) throws(FisherError) {
    try require(
      channels > 0 && outputs > 0, "convolution", expected: "channels and outputs, one at least",
      found: "\(channels) to \(outputs)")
    try require(
      groups > 0 && channels % groups == 0 && outputs % groups == 0, "convolution's groups",
      expected: "a number that divides \(channels) channels and \(outputs) outputs", found: groups)
    let (terms, overflow) = window.kernel.count.multipliedReportingOverflow(by: channels / groups)
    guard !overflow, terms < .max else { throw .sizeOverflow(what: "patches of \(window)") }
    (self.window, self.channels, self.outputs, self.groups) = (window, channels, outputs, groups)
  }

  /// Each channel by itself.
  public static func depthwise(_ window: ImageWindow, channels: Int) throws(FisherError) -> ConvolutionShape {
    try ConvolutionShape(window, channels: channels, outputs: channels, groups: channels)
  }

  /// d: the weights of a neuron, its bias included.
  public var order: Int { window.kernel.count * (channels / groups) + 1 }
  /// Whether each channel has a window of its own.
  var isDepthwise: Bool { groups > 1 && groups == channels && groups == outputs }

  public var description: String {
    "\(window), \(channels) to \(outputs) channels" + (groups == 1 ? "" : " in \(groups) groups")
  }
}
