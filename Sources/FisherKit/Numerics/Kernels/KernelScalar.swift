package import CKernels

/// The precisions that the C kernels exist in: `Float` and `Double`.
///
/// Code that is generic over it compiles for both; only `Float` and `Double` can conform.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// Where the kernels of this precision are. For the library only.
  static var _kernelTable: UnsafePointer<_KernelTable<Self>> { get }
}

extension KernelScalar {
  /// The kernels of this precision, in place: taking the table by value would retain each of its members.
  package static var _kernels: _KernelTable<Self> {
    @inline(__always) unsafeAddress { _kernelTable }
  }
}

extension Float: KernelScalar {
  public static var _kernelTable: UnsafePointer<_KernelTable<Float>> { single }
}

extension Double: KernelScalar {
  public static var _kernelTable: UnsafePointer<_KernelTable<Double>> { double }
}

private nonisolated(unsafe) let single = kept(_KernelTable<Float>.single)
private nonisolated(unsafe) let double = kept(_KernelTable<Double>.double)

private func kept<Value>(_ value: Value) -> UnsafePointer<Value> {
  let place = UnsafeMutablePointer<Value>.allocate(capacity: 1)
  place.initialize(to: value)
  return UnsafePointer(place)
}

/// The C functions of one precision. ckernels.h states what each one does, its shapes and its contracts. Its members are
/// for this package only: the library, its tests and its benchmarks.
public struct _KernelTable<T: BitwiseCopyable>: Sendable {
  package typealias In = UnsafePointer<T>?
  package typealias Out = UnsafeMutablePointer<T>?
  package typealias Work = UnsafeMutableRawPointer?
  /// D, blocks, V, order, count, work and threads: a vector for each block.
  package typealias OnVectors = @Sendable (Out, Int, In, In, Int, Int, Int, Work, Int, Int32) -> fk_status
  package typealias Failure = UnsafeMutablePointer<fk_failure>?

  package let lanes: @Sendable () -> Int
  package let blockBatchCount: @Sendable (Int, Int) -> Int
  package let activation: @Sendable (Out, Int, Out, Int, Out, Int, In, Int, Int, Int, fk_activation, Int32) -> fk_status
  package let activationBackward: @Sendable (Out, Int, In, Int, Int, Int, fk_activation, Int32) -> fk_status
  package let gramWeightedBatchWorkSize: @Sendable (Int, Int, Int, Int32) -> Int
  package let gramWeightedBatch:
    @Sendable (Out, In, Int, In, Int, Int, Int, Int, Double, Double, Work, Int, Int32) -> fk_status
  package let choleskyBatch:
    @Sendable (Out, UnsafeMutablePointer<Int>?, Failure, Int, Int, Double, Double, Int32) -> fk_status
  package let choleskyBatchSolveWorkSize: @Sendable (Int, Int, Int32) -> Int
  package let choleskyBatchSolve: OnVectors
  package let choleskyBatchInverse: @Sendable (Out, Int, Int, Int32) -> fk_status
  package let symmetricBatchMultiplyWorkSize: @Sendable (Int, Int, Int32) -> Int
  package let symmetricBatchMultiply: OnVectors
  package let projectedMultiply:
    @Sendable (
      Out, Int, Out, Int, Out, Int, In, Int, In, UnsafePointer<Double>?, Int, Int, Int, Work, Int, Int32
    ) -> fk_status
  package let kernelBatchFactorWorkSize: @Sendable (Int, Int) -> Int
  package let kernelBatchFactor:
    @Sendable (
      Out, UnsafeMutablePointer<Int>?, Failure, In, Int, In, Int, Int, Int, Int, Double, Work, Int, Int32
    ) -> fk_status
  package let kernelBatchSolveWorkSize: @Sendable (Int, Int, Int32) -> Int
  package let kernelBatchSolve:
    @Sendable (Out, Int, In, In, Int, In, Int, In, Int, Int, Int, Int, Double, Int32, Work, Int, Int32) -> fk_status
  package let softmax: @Sendable (Out, Int, Out, Int, In, Int, Int, Int, Int32) -> fk_status
  package let softmaxCrossEntropy:
    @Sendable (
      UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Int>?, Out, Int, In, Int, UnsafePointer<Int32>?, Int, Int,
      Double
    ) -> fk_status
  package let softmaxBlockDenseWorkSize: @Sendable (Int, Int, Int, Int32) -> Int
  package let softmaxBlockDense,
    softmaxBlockLower: @Sendable (Out, Int, In, Int, In, Int, Int, Int, Int, Double, Work, Int, Int32) -> fk_status
  package let softmaxBlockMatvecWorkSize: @Sendable (Int, Int) -> Int
  package let softmaxBlockMatvec:
    @Sendable (Out, Int, In, Int, In, Int, In, Int, Int, Int, Int, Double, Work, Int, Int32) -> fk_status
  package let twoLayerMatvecWorkSize: @Sendable (Int, Int, Int) -> Int
  package let twoLayerMatvec:
    @Sendable (
      Out, Int, In, Int, In, Int, In, Int, In, Int, In, Int, Int, Int, Int, Int, fk_outputs_kind, Double, Work, Int,
      Int32
    ) -> fk_status
  package let gatherBytes:
    @Sendable (Out, Int, UnsafePointer<UInt8>?, UnsafePointer<Int32>?, Int, Int, Double, Int32) -> fk_status
  package let gatherFloats:
    @Sendable (Out, Int, UnsafePointer<Float>?, UnsafePointer<Int32>?, Int, Int, Double, Int32) -> fk_status
  package let addWeightDecay: @Sendable (Out, Int, In, Int, Int, Int, Double) -> fk_status
  package let updateSGD: @Sendable (Out, Int, In, Int, Int, Int, Double, Double) -> fk_status
  package let updateMomentum: @Sendable (Out, Out, In, Int, Double, Double) -> fk_status
  package let updateBlend: @Sendable (Out, Out, Int, Double, Double, Double, Double) -> fk_status
  package let updateScheduleFree: @Sendable (Out, Out, Out, Int, Double, Double) -> fk_status
  package let scaleWeights: @Sendable (Out, Int, Int, Int, Double) -> fk_status
  package let updateAdam: @Sendable (Out, Out, Out, In, Int, Double, Double, Double, Double) -> fk_status
  package let rowDots: @Sendable (UnsafeMutablePointer<Double>?, In, Int, In, Int, Int, Int) -> fk_status
  package let takeGradient:
    @Sendable (UnsafeMutablePointer<Double>?, Out, Int, Out, Int, In, Int, Int, Int, Double) -> fk_status
  package let takeAverage:
    @Sendable (
      UnsafeMutablePointer<Double>?, Out, Int, Out, Int, In, Int, Out, Int, Int, Int, Double, Double, Double, Double,
      Double
    ) -> fk_status
  package let allFinite: @Sendable (UnsafeMutablePointer<Int32>?, In, Int, Int, Int) -> fk_status
  package let batchNormForward:
    @Sendable (Out, Int, Out, Int, Out, Out, Out, In, Int, In, Int, Int, Int, Double, Int32) -> fk_status
  package let batchNormBackward:
    @Sendable (Out, Int, Out, Int, In, Int, In, Int, In, In, Int, Int, Int, Int32) -> fk_status
  package let batchNormEvaluate: @Sendable (Out, Int, In, Int, In, In, In, Int, Int, Int, Double, Int32) -> fk_status
  package let convolutionWorkSize: @Sendable (UnsafePointer<fk_convolution>?, Int32) -> Int
  package let convolutionForward, convolutionWeightGradient,
    convolutionInputGradient:
      @Sendable (
        Out, Int, In, Int, In, Int, Int, UnsafePointer<fk_convolution>?, Work, Int, Int32
      ) -> fk_status
  package let convolutionPatches:
    @Sendable (
      Out, Int, In, Int, Int, UnsafePointer<Int>?, Int, Int, UnsafePointer<fk_convolution>?, Int32
    ) -> fk_status
  package let maxPool:
    @Sendable (
      Out, Int, UnsafeMutablePointer<Int32>?, In, Int, Int, Int, UnsafePointer<fk_window>?, Int32
    ) -> fk_status
  package let maxPoolBackward:
    @Sendable (
      Out, Int, In, Int, UnsafePointer<Int32>?, Int, Int, UnsafePointer<fk_window>?, Int32
    ) -> fk_status
  package let averagePool,
    averagePoolBackward: @Sendable (Out, Int, In, Int, Int, Int, UnsafePointer<fk_window>?, Int32) -> fk_status
  package let groupNormForward:
    @Sendable (
      Out, Int, Out, Int, Out, In, Int, In, Int, Int, Int, Int, Int, Int32, Double, Int32
    ) -> fk_status
  package let groupNormBackward:
    @Sendable (Out, Int, In, Int, In, Int, In, In, Int, Int, Int, Int, Int, Int32, Int32) -> fk_status
  package let scaleGradient: @Sendable (Out, Int, Int, In, Int, In, Int, Int, Int, Int32) -> fk_status
  package let gemm:
    @Sendable (Out, Int, In, Int, Int32, In, Int, Int32, Int, Int, Int, Double, Double, Int32) -> fk_status
  package let gram: @Sendable (Out, Int, In, Int, Int, Int, Double, Double, Int32) -> fk_status
  package let cholesky: @Sendable (Out, Int, Failure, Int, Double, Int32) -> fk_status
  package let choleskySolve: @Sendable (Out, Int, In, Int, Int, Int, Int32) -> fk_status
  package let inverseFactor: @Sendable (Out, Int, In, Int, Int, Double) -> fk_status
  package let eigenvaluesWorkSize: @Sendable (Int) -> Int
  package let eigenvalues: @Sendable (Out, Out, Int, Int, Work, Int) -> fk_status
  package let eigenvectorsWorkSize: @Sendable (Int) -> Int
  package let eigenvectors: @Sendable (Out, Out, Int, Int, Work, Int) -> fk_status
  package let newtonSchulzWorkSize: @Sendable (UnsafePointer<Int>?, UnsafePointer<Int>?, Int, Int, Int32, Int32) -> Int
  package let newtonSchulz:
    @Sendable (
      UnsafePointer<Out>?, UnsafePointer<Int>?, UnsafePointer<Int>?, UnsafePointer<Int>?, Int, UnsafePointer<Double>?,
      Int, Int32, Work, Int, Int32
    ) -> fk_status
  package let multiplyAddWidth: @Sendable () -> Int
  package let multiplyAdd: @Sendable (Out, Int, Int, Double, Double, Int32) -> fk_status
}

extension _KernelTable<Float> {
  static let single = _KernelTable(
    lanes: { fk_slanes() }, blockBatchCount: fk_sblock_batch_count, activation: fk_sactivation,
    activationBackward: fk_sactivation_backward, gramWeightedBatchWorkSize: fk_sgram_weighted_batch_work_size,
    gramWeightedBatch: fk_sgram_weighted_batch,
    choleskyBatch: fk_scholesky_batch,
    choleskyBatchSolveWorkSize: fk_scholesky_batch_solve_work_size, choleskyBatchSolve: fk_scholesky_batch_solve,
    choleskyBatchInverse: fk_scholesky_batch_inverse,
    symmetricBatchMultiplyWorkSize: fk_ssymmetric_batch_multiply_work_size,
    symmetricBatchMultiply: fk_ssymmetric_batch_multiply, projectedMultiply: fk_sprojected_multiply,
    kernelBatchFactorWorkSize: fk_skernel_batch_factor_work_size, kernelBatchFactor: fk_skernel_batch_factor,
    kernelBatchSolveWorkSize: fk_skernel_batch_solve_work_size, kernelBatchSolve: fk_skernel_batch_solve,
    softmax: fk_ssoftmax, softmaxCrossEntropy: fk_ssoftmax_cross_entropy,
    softmaxBlockDenseWorkSize: fk_ssoftmax_block_dense_work_size, softmaxBlockDense: fk_ssoftmax_block_dense,
    softmaxBlockLower: fk_ssoftmax_block_lower,
    softmaxBlockMatvecWorkSize: fk_ssoftmax_block_matvec_work_size, softmaxBlockMatvec: fk_ssoftmax_block_matvec,
    twoLayerMatvecWorkSize: fk_stwo_layer_matvec_work_size, twoLayerMatvec: fk_stwo_layer_matvec,
    gatherBytes: fk_sgather_bytes, gatherFloats: fk_sgather_floats, addWeightDecay: fk_sadd_weight_decay,
    updateSGD: fk_supdate_sgd, updateMomentum: fk_supdate_momentum, updateBlend: fk_supdate_blend,
    updateScheduleFree: fk_supdate_schedule_free, scaleWeights: fk_sscale_weights, updateAdam: fk_supdate_adam,
    rowDots: fk_srow_dots, takeGradient: fk_stake_gradient, takeAverage: fk_stake_average, allFinite: fk_sall_finite,
    batchNormForward: fk_sbatch_norm_forward,
    batchNormBackward: fk_sbatch_norm_backward, batchNormEvaluate: fk_sbatch_norm_evaluate,
    convolutionWorkSize: fk_sconvolution_work_size, convolutionForward: fk_sconvolution_forward,
    convolutionWeightGradient: fk_sconvolution_weight_gradient,
    convolutionInputGradient: fk_sconvolution_input_gradient, convolutionPatches: fk_sconvolution_patches,
    maxPool: fk_smax_pool, maxPoolBackward: fk_smax_pool_backward, averagePool: fk_saverage_pool,
    averagePoolBackward: fk_saverage_pool_backward, groupNormForward: fk_sgroup_norm_forward,
    groupNormBackward: fk_sgroup_norm_backward, scaleGradient: fk_sscale_gradient, gemm: fk_sgemm,
    gram: fk_sgram, cholesky: fk_scholesky,
    choleskySolve: fk_scholesky_solve, inverseFactor: fk_sinverse_factor,
    eigenvaluesWorkSize: fk_seigenvalues_work_size,
    eigenvalues: fk_seigenvalues,
    eigenvectorsWorkSize: fk_seigenvectors_work_size,
    eigenvectors: fk_seigenvectors,
    newtonSchulzWorkSize: fk_snewton_schulz_work_size, newtonSchulz: fk_snewton_schulz,
    multiplyAddWidth: fk_smultiply_add_width, multiplyAdd: fk_smultiply_add)
}

extension _KernelTable<Double> {
  static let double = _KernelTable(
    lanes: { fk_dlanes() }, blockBatchCount: fk_dblock_batch_count, activation: fk_dactivation,
    activationBackward: fk_dactivation_backward, gramWeightedBatchWorkSize: fk_dgram_weighted_batch_work_size,
    gramWeightedBatch: fk_dgram_weighted_batch,
    choleskyBatch: fk_dcholesky_batch,
    choleskyBatchSolveWorkSize: fk_dcholesky_batch_solve_work_size, choleskyBatchSolve: fk_dcholesky_batch_solve,
    choleskyBatchInverse: fk_dcholesky_batch_inverse,
    symmetricBatchMultiplyWorkSize: fk_dsymmetric_batch_multiply_work_size,
    symmetricBatchMultiply: fk_dsymmetric_batch_multiply, projectedMultiply: fk_dprojected_multiply,
    kernelBatchFactorWorkSize: fk_dkernel_batch_factor_work_size, kernelBatchFactor: fk_dkernel_batch_factor,
    kernelBatchSolveWorkSize: fk_dkernel_batch_solve_work_size, kernelBatchSolve: fk_dkernel_batch_solve,
    softmax: fk_dsoftmax, softmaxCrossEntropy: fk_dsoftmax_cross_entropy,
    softmaxBlockDenseWorkSize: fk_dsoftmax_block_dense_work_size, softmaxBlockDense: fk_dsoftmax_block_dense,
    softmaxBlockLower: fk_dsoftmax_block_lower,
    softmaxBlockMatvecWorkSize: fk_dsoftmax_block_matvec_work_size, softmaxBlockMatvec: fk_dsoftmax_block_matvec,
    twoLayerMatvecWorkSize: fk_dtwo_layer_matvec_work_size, twoLayerMatvec: fk_dtwo_layer_matvec,
    gatherBytes: fk_dgather_bytes, gatherFloats: fk_dgather_floats, addWeightDecay: fk_dadd_weight_decay,
    updateSGD: fk_dupdate_sgd, updateMomentum: fk_dupdate_momentum, updateBlend: fk_dupdate_blend,
    updateScheduleFree: fk_dupdate_schedule_free, scaleWeights: fk_dscale_weights, updateAdam: fk_dupdate_adam,
    rowDots: fk_drow_dots, takeGradient: fk_dtake_gradient, takeAverage: fk_dtake_average, allFinite: fk_dall_finite,
    batchNormForward: fk_dbatch_norm_forward,
    batchNormBackward: fk_dbatch_norm_backward, batchNormEvaluate: fk_dbatch_norm_evaluate,
    convolutionWorkSize: fk_dconvolution_work_size, convolutionForward: fk_dconvolution_forward,
    convolutionWeightGradient: fk_dconvolution_weight_gradient,
    convolutionInputGradient: fk_dconvolution_input_gradient, convolutionPatches: fk_dconvolution_patches,
    maxPool: fk_dmax_pool, maxPoolBackward: fk_dmax_pool_backward, averagePool: fk_daverage_pool,
    averagePoolBackward: fk_daverage_pool_backward, groupNormForward: fk_dgroup_norm_forward,
    groupNormBackward: fk_dgroup_norm_backward, scaleGradient: fk_dscale_gradient, gemm: fk_dgemm,
    gram: fk_dgram, cholesky: fk_dcholesky,
    choleskySolve: fk_dcholesky_solve, inverseFactor: fk_dinverse_factor,
    eigenvaluesWorkSize: fk_deigenvalues_work_size,
    eigenvalues: fk_deigenvalues,
    eigenvectorsWorkSize: fk_deigenvectors_work_size,
    eigenvectors: fk_deigenvectors,
    newtonSchulzWorkSize: fk_dnewton_schulz_work_size, newtonSchulz: fk_dnewton_schulz,
    multiplyAddWidth: fk_dmultiply_add_width, multiplyAdd: fk_dmultiply_add)
}
