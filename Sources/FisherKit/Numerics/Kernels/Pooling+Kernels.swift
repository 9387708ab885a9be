internal import CKernels

extension Matrix {
  /// The first columns of self = the largest of each window of `images`, and where in the window it was.
  mutating func setToLargest(
    of images: borrowing Matrix, channels: Int, _ window: ImageWindow, places: borrowing AlignedBuffer<Int32>
  ) {
    let samples = window.samples(images: images, outputs: self, channels: channels)
    demand(places.count >= rows * channels, "places of another shape")
    var raw = window.raw
    check(
      Scalar._kernels.maxPool(
        storage.base, stride, places.base, images.storage.base, images.stride, samples, channels, &raw, 0))
  }

  mutating func setToLargestBackward(
    _ delta: borrowing Matrix, channels: Int, _ window: ImageWindow, places: borrowing AlignedBuffer<Int32>
  ) {
    let samples = window.samples(images: self, outputs: delta, channels: channels)
    demand(places.count >= delta.rows * channels, "places of another shape")
    var raw = window.raw
    check(
      Scalar._kernels.maxPoolBackward(
        storage.base, stride, delta.storage.base, delta.stride, places.base, samples, channels, &raw, 0))
  }

  /// The first columns of self = the mean of each window of `images`.
  mutating func setToMean(of images: borrowing Matrix, channels: Int, _ window: ImageWindow) {
    let samples = window.samples(images: images, outputs: self, channels: channels)
    var raw = window.raw
    check(
      Scalar._kernels.averagePool(
        storage.base, stride, images.storage.base, images.stride, samples, channels, &raw, 0))
  }

  mutating func setToMeanBackward(_ delta: borrowing Matrix, channels: Int, _ window: ImageWindow) {
    let samples = window.samples(images: self, outputs: delta, channels: channels)
    var raw = window.raw
    check(
      Scalar._kernels.averagePoolBackward(
        storage.base, stride, delta.storage.base, delta.stride, samples, channels, &raw, 0))
  }
}

extension ImageWindow {
  /// How many samples two matrices of rows of positions have.
  fileprivate func samples<S: KernelScalar>(
    images: borrowing Matrix<S>, outputs: borrowing Matrix<S>, channels: Int
  ) -> Int {
    let samples = images.rows / image.count
    demand(
      images.rows == samples * image.count && outputs.rows == samples * self.outputs.count
        && images.columns >= channels && outputs.columns >= channels,
      "images of \(images.shape) and \(outputs.shape) for \(self), \(channels) channels")
    return samples
  }
}
