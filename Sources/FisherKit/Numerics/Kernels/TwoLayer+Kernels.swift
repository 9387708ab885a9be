internal import CKernels

extension Matrix {
  /// self (m, d) = α Σ_s (F_s Cᵀ O_s C F_s ⊗ x̃_sx̃_sᵀ) V without forming it (eq 12): `slopes` (n,m) are the diagonals of
  /// F_s, C is (D_y, m), and `above` (n, D_y) is η where the outputs are a softmax's, ν where they are independent.
  /// `work` comes from ``twoLayerWorkspace(samples:neurons:outputs:)``. Cost 4nm(d + D_y) flops.
  mutating func setToTwoLayerProduct(
    inputs x: borrowing Matrix, slopes: borrowing Matrix, outerWeights c: borrowing Matrix, above: borrowing Matrix,
    isSoftmax: Bool, vectors v: borrowing Matrix, alpha: Double, work: borrowing AlignedBuffer<UInt8>
  ) {
    demand(v.rows == slopes.columns && v.columns == x.columns, "vectors of another shape")
    demand(rows == v.rows && columns == v.columns, "a product of another shape")
    demand(x.rows == slopes.rows && x.rows == above.rows, "observations of another shape")
    demand(c.rows == above.columns && c.columns >= v.rows, "outer weights of another shape")
    check(
      Scalar._kernels.twoLayerMatvec(
        storage.base, stride, x.storage.base, x.stride, slopes.storage.base, slopes.stride, c.storage.base, c.stride,
        above.storage.base, above.stride, v.storage.base, v.stride, x.rows, x.columns, v.rows, c.rows,
        isSoftmax ? FK_OUTPUTS_SOFTMAX : FK_OUTPUTS_INDEPENDENT, alpha, work.base, work.count, 0))
  }

  static func twoLayerWorkspace(
    samples: Int, neurons: Int, outputs: Int
  ) throws(FisherError) -> AlignedBuffer<UInt8> {
    let size = try workSize(
      Scalar._kernels.twoLayerMatvecWorkSize(samples, neurons, outputs), "product of two layers")
    return try AlignedBuffer(count: size, what: "work space of the product of two layers")
  }
}
