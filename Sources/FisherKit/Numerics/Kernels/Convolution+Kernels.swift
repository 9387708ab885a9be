internal import CKernels

/// Memory that the passes of a convolution work in, sized once for its threads.
struct ConvolutionWorkspace<Scalar: KernelScalar>: ~Copyable {
  let buffer: AlignedBuffer<UInt8>
  let threads: Int32

  init(_ shape: ConvolutionShape, name: String) throws(FisherError) {
    threads = Int32(Compute.threads)
    var raw = shape.raw(imageStride: 0)
    let bytes = try workSize(Scalar._kernels.convolutionWorkSize(&raw, threads), "\(name): work space")
    buffer = try AlignedBuffer(count: bytes, what: "\(name): work space")
  }

  var bytes: Int { buffer.count }
}

/// The images of a mini-batch: rows of positions, or a row of features for each.
extension ConvolutionShape {
  /// - Parameter imageStride: elements from one sample to the next, or 0 for rows of positions one behind the other.
  func raw(imageStride: Int) -> fk_convolution {
    fk_convolution(
      window: window.raw, channels: channels, outputs: outputs, groups: groups, image_stride: imageStride)
  }

  /// How the images lie in a matrix of `columns` at least.
  func raw<S: KernelScalar>(
    in images: borrowing Matrix<S>, ofFeatures isOfFeatures: Bool
  ) -> (convolution: fk_convolution, stride: Int, samples: Int) {
    let positions = window.image.count
    if isOfFeatures {
      demand(
        images.columns >= positions * channels, "expected \(positions * channels) features, found \(images.columns)")
      return (raw(imageStride: images.stride), channels, images.rows)
    }
    demand(
      images.columns >= channels && images.rows % positions == 0,
      "expected \(channels) channels at \(positions) positions, found \(images.shape)")
    return (raw(imageStride: 0), images.stride, images.rows / positions)
  }
}

extension Matrix {
  /// The first columns of self (n · positions, outputs) = W p̃ for the patches p̃ of `images`.
  mutating func setToConvolution(
    of images: borrowing Matrix, ofFeatures isOfFeatures: Bool, weights: borrowing Matrix, _ shape: ConvolutionShape,
    _ workspace: borrowing ConvolutionWorkspace<Scalar>
  ) {
    var (raw, stride, samples) = shape.raw(in: images, ofFeatures: isOfFeatures)
    demand(
      rows == samples * shape.window.outputs.count && columns >= shape.outputs && weights.rows == shape.outputs
        && weights.columns == shape.order, "outputs or weights of another shape")
    check(
      Scalar._kernels.convolutionForward(
        storage.base, self.stride, images.storage.base, stride, weights.storage.base, weights.stride, samples, &raw,
        workspace.buffer.base, workspace.buffer.count, workspace.threads))
  }

  /// self (outputs, order) = Σ δ p̃ᵀ over all positions.
  mutating func setToConvolutionGradient(
    delta: borrowing Matrix, images: borrowing Matrix, ofFeatures isOfFeatures: Bool, _ shape: ConvolutionShape,
    _ workspace: borrowing ConvolutionWorkspace<Scalar>
  ) {
    var (raw, stride, samples) = shape.raw(in: images, ofFeatures: isOfFeatures)
    demand(
      delta.rows == samples * shape.window.outputs.count && delta.columns >= shape.outputs && rows == shape.outputs
        && columns == shape.order, "a gradient of another shape")
    check(
      Scalar._kernels.convolutionWeightGradient(
        storage.base, self.stride, delta.storage.base, delta.stride, images.storage.base, stride, samples, &raw,
        workspace.buffer.base, workspace.buffer.count, workspace.threads))
  }

  /// The images' derivatives, self, from delta (n · positions, outputs).
  mutating func setToConvolutionInputGradient(
    delta: borrowing Matrix, weights: borrowing Matrix, ofFeatures isOfFeatures: Bool, _ shape: ConvolutionShape,
    _ workspace: borrowing ConvolutionWorkspace<Scalar>
  ) {
    var (raw, stride, samples) = shape.raw(in: self, ofFeatures: isOfFeatures)
    demand(
      delta.rows == samples * shape.window.outputs.count && delta.columns >= shape.outputs
        && weights.rows == shape.outputs && weights.columns == shape.order, "derivatives or weights of another shape")
    check(
      Scalar._kernels.convolutionInputGradient(
        storage.base, stride, delta.storage.base, delta.stride, weights.storage.base, weights.stride, samples, &raw,
        workspace.buffer.base, workspace.buffer.count, workspace.threads))
  }

  /// The rows of self from `first` on = the patches of `group` at these rows of outputs: sample · positions + position.
  mutating func setToPatches(
    of images: borrowing Matrix, ofFeatures isOfFeatures: Bool, rows places: Span<Int>, group: Int,
    _ shape: ConvolutionShape, from first: Int = 0
  ) {
    var (raw, stride, samples) = shape.raw(in: images, ofFeatures: isOfFeatures)
    demand(first >= 0 && first + places.count <= rows && columns == shape.order, "room for patches of another shape")
    let base = storage.base + first * self.stride
    let (own, from) = (self.stride, images.storage.base)
    places.withUnsafeBufferPointer { places in
      check(
        Scalar._kernels.convolutionPatches(
          base, own, from, stride, samples, places.baseAddress, places.count, group, &raw, 0))
    }
  }
}
