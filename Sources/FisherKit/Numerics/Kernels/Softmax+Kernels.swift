internal import CKernels

extension Matrix {
  /// self = η(1 − η) with η = softmax of each row of z: the diagonal of diag η − ηηᵀ (eq 10).
  mutating func setToSoftmaxNu(of z: borrowing Matrix) {
    demand(rows == z.rows && columns == z.columns, "ν of another shape")
    check(Scalar._kernels.softmax(nil, 0, storage.base, stride, z.storage.base, z.stride, z.rows, z.columns, 0))
  }

  /// self = η, the softmax of each row of z, of the same shape: η_i = e^{z_i}/Σ_k e^{z_k} (eq 10). It does not overflow,
  /// whatever z; a row with a NaN is NaN. Cost 4nm operations, an exponential counted as one.
  public mutating func setToSoftmax(of z: borrowing Matrix) {
    demandShape(of: z)
    check(Scalar._kernels.softmax(storage.base, stride, nil, 0, z.storage.base, z.stride, z.rows, z.columns, 0))
  }

  /// Σ_s −log η_label over the rows of self (the logits), how many rows have their largest logit at the label, and,
  /// where asked for, delta = (η − onehot) · scale.
  func crossEntropy(labels: Span<Int32>) -> (loss: Double, correct: Int) {
    checkLabels(labels)
    var loss = 0.0
    var correct = 0
    labels.withUnsafeBufferPointer { labels in
      check(
        Scalar._kernels.softmaxCrossEntropy(
          &loss, &correct, nil, 0, storage.base, stride, labels.baseAddress, rows, columns, 1))
    }
    return (loss, correct)
  }

  func crossEntropy(
    labels: Span<Int32>, delta: inout Matrix, scale: Double
  ) -> (loss: Double, correct: Int) {
    checkLabels(labels)
    demand(delta.rows == rows && delta.columns >= columns, "a delta of another shape")
    var loss = 0.0
    var correct = 0
    let (base, stride) = (delta.storage.base, delta.stride)
    labels.withUnsafeBufferPointer { labels in
      check(
        Scalar._kernels.softmaxCrossEntropy(
          &loss, &correct, base, stride, storage.base, self.stride, labels.baseAddress, rows, columns, scale))
    }
    return (loss, correct)
  }

  private func checkLabels(_ labels: Span<Int32>) {
    demand(labels.count == rows, "expected \(rows) labels, found \(labels.count)")
    for i in labels.indices {
      demand(labels[i] >= 0 && labels[i] < columns, "label \(labels[i]) is outside 0 ..< \(columns)")
    }
  }

  /// self (md, md) = α Σ_s (diag η_s − η_sη_sᵀ) ⊗ x̃_sx̃_sᵀ, eq 10. With `onlyLower`, what is above the diagonal means
  /// nothing.
  mutating func setToSoftmaxBlock(
    inputs x: borrowing Matrix, eta: borrowing Matrix, alpha: Double, onlyLower: Bool = false,
    work: borrowing AlignedBuffer<UInt8>
  ) {
    let order = x.columns * eta.columns
    demand(rows == order && columns == order, "expected a matrix of order \(order)")
    demand(x.rows == eta.rows, "expected η of \(x.rows) samples, found \(eta.rows)")
    let kernel = onlyLower ? Scalar._kernels.softmaxBlockLower : Scalar._kernels.softmaxBlockDense
    check(
      kernel(
        storage.base, stride, x.storage.base, x.stride, eta.storage.base, eta.stride, x.rows, x.columns, eta.columns,
        alpha, work.base, work.count, 0))
  }

  /// Work space for ``setToSoftmaxBlock(inputs:eta:alpha:onlyLower:work:)`` with up to so many samples.
  static func softmaxBlockWorkspace(
    samples: Int, order: Int, classes: Int
  ) throws(FisherError) -> AlignedBuffer<UInt8> {
    let size = try workSize(
      Scalar._kernels.softmaxBlockDenseWorkSize(samples, order, classes, Int32(Compute.threads)), "softmax block")
    return try AlignedBuffer(count: size, what: "work space of the softmax block")
  }

  /// self (m, d) = the matrix above times V (m, d), without forming it. `work` comes from
  /// ``softmaxMatvecWorkspace(samples:classes:)``.
  mutating func setToSoftmaxProduct(
    inputs x: borrowing Matrix, eta: borrowing Matrix, vectors v: borrowing Matrix, alpha: Double,
    work: borrowing AlignedBuffer<UInt8>
  ) {
    demand(v.rows == eta.columns && v.columns == x.columns, "vectors of another shape")
    demand(rows == v.rows && columns == v.columns && x.rows == eta.rows, "a product of another shape")
    check(
      Scalar._kernels.softmaxBlockMatvec(
        storage.base, stride, x.storage.base, x.stride, eta.storage.base, eta.stride, v.storage.base, v.stride, x.rows,
        x.columns, eta.columns, alpha, work.base, work.count, 0))
  }

  static func softmaxMatvecWorkspace(samples: Int, classes: Int) throws(FisherError) -> AlignedBuffer<UInt8> {
    let size = try workSize(Scalar._kernels.softmaxBlockMatvecWorkSize(samples, classes), "softmax product")
    return try AlignedBuffer(count: size, what: "work space of the softmax product")
  }
}
