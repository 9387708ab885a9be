import CKernels
import FisherKitTestSupport
import Testing

/// A convolution's mini-batch in memory, and its kernels on it.
struct ConvolutionRun<T: KernelPrecision> {
  let window: Reference.Window
  let n, channels, outputs, groups: Int
  let isOfFeatures: Bool
  let threads: Int32
  let x, w, delta, z, g, dx: GuardedMatrix<T>
  private let space: WorkSpace

  /// - Parameter isOfFeatures: whether a sample's image is one row.
  init(
    _ window: Reference.Window, n: Int, channels: Int, outputs: Int, groups: Int = 1, isOfFeatures: Bool = false,
    layout: GuardedMatrix<T>.Layout = .strided, threads: Int32 = 1, seed: UInt64 = 101
  ) {
    var random = SplitMix64(seed: seed)
    (self.window, self.n, self.channels, self.outputs, self.groups) = (window, n, channels, outputs, groups)
    (self.isOfFeatures, self.threads) = (isOfFeatures, threads)
    let d = window.taps * (channels / groups) + 1
    func images(_ numbers: [Double]?) -> GuardedMatrix<T> {
      isOfFeatures
        ? GuardedMatrix(numbers, rows: n, columns: window.area * channels, layout: layout)
        : GuardedMatrix(numbers, rows: n * window.area, columns: channels, layout: layout)
    }
    x = images(random.normal(n * window.area * channels))
    dx = images(nil)
    w = GuardedMatrix(random.normal(outputs * d), rows: outputs, columns: d, layout: layout)
    delta = GuardedMatrix(
      random.normal(n * window.positions * outputs), rows: n * window.positions, columns: outputs, layout: layout)
    z = GuardedMatrix(rows: n * window.positions, columns: outputs, layout: layout)
    g = GuardedMatrix(rows: outputs, columns: d, layout: layout)
    var convolution = Self.convolution(window, channels: channels, outputs: outputs, groups: groups)
    space = WorkSpace(max(0, T.kernels.convolutionWorkSize(&convolution, threads)))
  }

  static func convolution(
    _ w: Reference.Window, channels: Int, outputs: Int, groups: Int, imageStride: Int = 0
  ) -> fk_convolution {
    fk_convolution(window: w.raw, channels: channels, outputs: outputs, groups: groups, image_stride: imageStride)
  }

  var order: Int { window.taps * (channels / groups) + 1 }
  var place: String {
    "\(window), \(channels) to \(outputs) in \(groups), n \(n)\(isOfFeatures ? " of features" : "") threads \(threads)"
  }
  private var all: [GuardedMatrix<T>] { [x, w, delta, z, g, dx] }
  private var convolution: fk_convolution {
    Self.convolution(
      window, channels: channels, outputs: outputs, groups: groups, imageStride: isOfFeatures ? x.leadingDimension : 0)
  }
  private var stride: Int { isOfFeatures ? channels : x.leadingDimension }

  func forward() {
    var convolution = convolution
    let status = T.kernels.convolutionForward(
      z.pointer, z.leadingDimension, x.pointer, stride, w.pointer, w.leadingDimension, n, &convolution, space.pointer,
      space.size, threads)
    expect(status, T.self, "forward \(place)")
    expectIntact(all, "forward \(place)")
    expect(space.isIntact, T.self, "forward \(place): written beside the work space")
  }

  func weightGradient() {
    var convolution = convolution
    let status = T.kernels.convolutionWeightGradient(
      g.pointer, g.leadingDimension, delta.pointer, delta.leadingDimension, x.pointer, stride, n, &convolution,
      space.pointer, space.size, threads)
    expect(status, T.self, "weight gradient \(place)")
    expectIntact(all, "weight gradient \(place)")
    expect(space.isIntact, T.self, "weight gradient \(place): written beside the work space")
  }

  func inputGradient() {
    var convolution = convolution
    let status = T.kernels.convolutionInputGradient(
      dx.pointer, stride, delta.pointer, delta.leadingDimension, w.pointer, w.leadingDimension, n, &convolution,
      space.pointer, space.size, threads)
    expect(status, T.self, "input gradient \(place)")
    expectIntact(all, "input gradient \(place)")
    expect(space.isIntact, T.self, "input gradient \(place): written beside the work space")
  }

  func patches(_ rows: [Int], group: Int) -> GuardedMatrix<T> {
    var convolution = convolution
    let patches = GuardedMatrix<T>(rows: rows.count, columns: order, layout: .strided)
    let status = T.kernels.convolutionPatches(
      patches.pointer, patches.leadingDimension, x.pointer, stride, n, rows, rows.count, group, &convolution, threads)
    expect(status, T.self, "patches \(place)")
    expectIntact(all + [patches], "patches \(place)")
    return patches
  }
}

extension Reference.Window {
  var raw: fk_window {
    fk_window(
      height: height, width: width, kernel_height: kernelHeight, kernel_width: kernelWidth, stride_y: strideY,
      stride_x: strideX, padding_y: paddingY, padding_x: paddingX, dilation_y: dilationY, dilation_x: dilationX)
  }
}
