import CKernels
import TestSupport

/// The kernels of one element type: what is fk_s... in C for Float and fk_d... for Double. The tests are written once,
/// for either.
struct Kernels<Scalar> {
  typealias Output = UnsafeMutablePointer<Scalar>?
  typealias Input = UnsafePointer<Scalar>?
  typealias Work = UnsafeMutableRawPointer?

  let lanes: () -> Int
  let blockBatchCount: (Int, Int) -> Int
  let activation: (Output, Int, Output, Int, Output, Int, Input, Int, Int, Int, fk_activation, Int32) -> fk_status
  let activationBackward: (Output, Int, Input, Int, Int, Int, fk_activation, Int32) -> fk_status
  let gramWeightedBatchWorkSize: (Int, Int, Int, Int32) -> Int
  let gramWeightedBatch: (Output, Input, Int, Input, Int, Int, Int, Int, Double, Double, Work, Int, Int32) -> fk_status
  let choleskyBatch:
    (Output, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<fk_failure>?, Int, Int, Double, Int32) -> fk_status
  let choleskyBatchSolveWorkSize: (Int, Int, Int32) -> Int
  let choleskyBatchSolve: (Output, Int, Input, Input, Int, Int, Int, Work, Int, Int32) -> fk_status
  let softmax: (Output, Int, Output, Int, Input, Int, Int, Int, Int32) -> fk_status
  let softmaxCrossEntropy:
    (
      UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Int>?, Output, Int, Input, Int, UnsafePointer<Int32>?, Int,
      Int, Double
    ) -> fk_status
  let softmaxBlockDenseWorkSize: (Int, Int, Int, Int32) -> Int
  let softmaxBlockDense: (Output, Int, Input, Int, Input, Int, Int, Int, Int, Double, Work, Int, Int32) -> fk_status
  let softmaxBlockMatvecWorkSize: (Int, Int) -> Int
  let softmaxBlockMatvec:
    (Output, Int, Input, Int, Input, Int, Input, Int, Int, Int, Int, Double, Work, Int, Int32) -> fk_status
  let gatherBytes: (Output, Int, UnsafePointer<UInt8>?, UnsafePointer<Int32>?, Int, Int, Double, Int32) -> fk_status
  let gatherFloats: (Output, Int, UnsafePointer<Float>?, UnsafePointer<Int32>?, Int, Int, Double, Int32) -> fk_status
  let addWeightDecay: (Output, Int, Input, Int, Int, Int, Double) -> fk_status
  let updateSGD: (Output, Input, Int, Double) -> fk_status
  let updateMomentum: (Output, Output, Input, Int, Double, Double) -> fk_status
  let updateAdam: (Output, Output, Output, Input, Int, Double, Double, Double, Double) -> fk_status
  let allFinite: (UnsafeMutablePointer<Int32>?, Input, Int, Int, Int) -> fk_status
  let gemm: (Output, Int, Input, Int, Int32, Input, Int, Int32, Int, Int, Int, Double, Double, Int32) -> fk_status
  let gram: (Output, Int, Input, Int, Int, Int, Double, Double, Int32) -> fk_status
  let cholesky: (Output, Int, UnsafeMutablePointer<fk_failure>?, Int, Double, Int32) -> fk_status
  let choleskySolve: (Output, Int, Input, Int, Int, Int, Int32) -> fk_status
}

protocol KernelPrecision: ReferenceScalar {
  static var kernels: Kernels<Self> { get }
}

extension Float: KernelPrecision {
  static var kernels: Kernels<Float> {
    Kernels(
      lanes: fk_slanes,
      blockBatchCount: fk_sblock_batch_count,
      activation: fk_sactivation,
      activationBackward: fk_sactivation_backward,
      gramWeightedBatchWorkSize: fk_sgram_weighted_batch_work_size,
      gramWeightedBatch: fk_sgram_weighted_batch,
      choleskyBatch: fk_scholesky_batch,
      choleskyBatchSolveWorkSize: fk_scholesky_batch_solve_work_size,
      choleskyBatchSolve: fk_scholesky_batch_solve,
      softmax: fk_ssoftmax,
      softmaxCrossEntropy: fk_ssoftmax_cross_entropy,
      softmaxBlockDenseWorkSize: fk_ssoftmax_block_dense_work_size,
      softmaxBlockDense: fk_ssoftmax_block_dense,
      softmaxBlockMatvecWorkSize: fk_ssoftmax_block_matvec_work_size,
      softmaxBlockMatvec: fk_ssoftmax_block_matvec,
      gatherBytes: fk_sgather_bytes,
      gatherFloats: fk_sgather_floats,
      addWeightDecay: fk_sadd_weight_decay,
      updateSGD: fk_supdate_sgd,
      updateMomentum: fk_supdate_momentum,
      updateAdam: fk_supdate_adam,
      allFinite: fk_sall_finite,
      gemm: fk_sgemm,
      gram: fk_sgram,
      cholesky: fk_scholesky,
      choleskySolve: fk_scholesky_solve)
  }
}

extension Double: KernelPrecision {
  static var kernels: Kernels<Double> {
    Kernels(
      lanes: fk_dlanes,
      blockBatchCount: fk_dblock_batch_count,
      activation: fk_dactivation,
      activationBackward: fk_dactivation_backward,
      gramWeightedBatchWorkSize: fk_dgram_weighted_batch_work_size,
      gramWeightedBatch: fk_dgram_weighted_batch,
      choleskyBatch: fk_dcholesky_batch,
      choleskyBatchSolveWorkSize: fk_dcholesky_batch_solve_work_size,
      choleskyBatchSolve: fk_dcholesky_batch_solve,
      softmax: fk_dsoftmax,
      softmaxCrossEntropy: fk_dsoftmax_cross_entropy,
      softmaxBlockDenseWorkSize: fk_dsoftmax_block_dense_work_size,
      softmaxBlockDense: fk_dsoftmax_block_dense,
      softmaxBlockMatvecWorkSize: fk_dsoftmax_block_matvec_work_size,
      softmaxBlockMatvec: fk_dsoftmax_block_matvec,
      gatherBytes: fk_dgather_bytes,
      gatherFloats: fk_dgather_floats,
      addWeightDecay: fk_dadd_weight_decay,
      updateSGD: fk_dupdate_sgd,
      updateMomentum: fk_dupdate_momentum,
      updateAdam: fk_dupdate_adam,
      allFinite: fk_dall_finite,
      gemm: fk_dgemm,
      gram: fk_dgram,
      cholesky: fk_dcholesky,
      choleskySolve: fk_dcholesky_solve)
  }
}
