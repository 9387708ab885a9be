import ArgumentParser
import FisherKit

/// Where the windows of a convolution go, and its groups; of a normalisation its groups and its ε.
struct WindowOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Window of a convolution: a number, or two of an image, down first.", valueName: "k[,k]"))
  var kernel: WindowSize?
  @Option(help: ArgumentHelp("Positions from one window to the next (default: 1).", valueName: "s[,s]"))
  var stride: WindowSize?
  @Option(help: ArgumentHelp("Zeros around the image (default: 0).", valueName: "p[,p]")) var padding: WindowSize?
  @Option(help: ArgumentHelp("Positions between a window's inputs (default: 1).", valueName: "d[,d]"))
  var dilation: WindowSize?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Groups of channels, of convolution or group-norm (default: 1); as many as there are channels and outputs make a "
        + "convolution depthwise.", valueName: "g"))
  var groups: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What a normalisation adds to variances (default: 1e-5, of batch-norm 1e-3).", valueName: "ε"))
  var epsilon: Double?

  /// Those that were given, of a subsystem that has no use for them.
  func surplus(for subsystem: SubsystemName) -> String? {
    let given: [(String, Bool, [SubsystemName])] = [
      ("kernel", kernel != nil, [.convolution]), ("stride", stride != nil, [.convolution]),
      ("padding", padding != nil, [.convolution]), ("dilation", dilation != nil, [.convolution]),
      ("groups", groups != nil, [.convolution, .groupNorm]),
      ("epsilon", epsilon != nil, [.layerNorm, .rmsNorm, .groupNorm, .batchNorm]),
    ]
    return given.first { $0.1 && !$0.2.contains(subsystem) }?.0
  }

  /// Over images of this size; a series is an image of one line.
  func window(over image: ImageWindow.Size) throws -> ImageWindow {
    guard let kernel else {
      throw ValidationError("--kernel: expected it with --subsystem convolution, found none")
    }
    func size(_ size: WindowSize?, _ line: Int, usual: Int) throws -> ImageWindow.Size {
      let size = size ?? WindowSize(usual)
      guard image.height == 1, !size.isOneNumber, size.height != line else {
        return ImageWindow.Size(image.height == 1 ? line : size.height, size.width)
      }
      throw ValidationError("--kernel and what goes with it: expected one number for a series, found \(size)")
    }
    return try refusing {
      try ImageWindow(
        image, kernel: try size(kernel, 1, usual: 1), stride: try size(stride, 1, usual: 1),
        padding: try size(padding, 0, usual: 0), dilation: try size(dilation, 1, usual: 1))
    }
  }
}

/// A number for both ways, or two: down, then across.
struct WindowSize: ExpressibleByArgument, CustomStringConvertible {
  let height: Int
  let width: Int
  let isOneNumber: Bool

  init(_ both: Int) { (height, width, isOneNumber) = (both, both, true) }

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 1 || numbers.count == 2, let first = numbers[0], let last = numbers[numbers.count - 1],
      first >= 0, last >= 0
    else { return nil }
    (height, width, isOneNumber) = (first, last, numbers.count == 1)
  }

  var description: String { isOneNumber ? "\(width)" : "\(height),\(width)" }
}
