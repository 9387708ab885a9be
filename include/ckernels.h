/* ckernels.h: the C surface of FisherKit. What the paper needs is here, what training needs beside it in
 * ckernels_training.h, convolutions and their kin in ckernels_layers.h, and notation, contracts and status in
 * ckernels_base.h; all come with this one. */
#ifndef FISHERKIT_CKERNELS_H
#define FISHERKIT_CKERNELS_H

#include "ckernels_base.h"
#include "ckernels_layers.h"
#include "ckernels_training.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Batch-minor storage ----------------------------------------------------------------------------------------- *
 * m symmetric or triangular blocks of order d, packed lower triangles, in groups of L = lanes (one cache line: 16
 * floats, 8 doubles). Element (i,j), j <= i, of block b is at
 *     (b / L) * (d (d+1)/2) * L + (i (i+1)/2 + j) * L + b % L
 * so that one vector holds the same element of L neurons. Blocks that fill up the last group must be finite (the Gram
 * makes them zero); what a factorisation leaves in them means nothing. */
ptrdiff_t fk_slanes(void);
ptrdiff_t fk_dlanes(void);
/* Elements of such a batch; -1 when they cannot be indexed. */
ptrdiff_t fk_sblock_batch_count(ptrdiff_t d, ptrdiff_t m);
ptrdiff_t fk_dblock_batch_count(ptrdiff_t d, ptrdiff_t m);

/* ---- Activations: f, f' and nu_f (Table 1; silu, gelu: eq 8) ----------------------------------------------------- */

typedef enum fk_activation_kind FK_ENUM_SIZE {
  FK_TANH = 0,
  FK_SIGM,
  FK_RELU,
  FK_ELU,
  FK_LINEAR,
  FK_SILU, /* z sigm(z) */
  FK_GELU  /* z Phi(z), Phi the normal distribution, exactly */
} fk_activation_kind;

/* relu: iota in [0,1), omega in [0,1e30), where omega = 0 is the hard (leaky) relu, and iota = 0, omega = 1 softplus.
 * elu: alpha in [0,1e30). Others ignore them. */
typedef struct fk_activation {
  fk_activation_kind kind;
  double iota, omega, alpha;
} fk_activation;

#define FK_DECLARE_ACTIVATION(T, p)                                                                                    \
  /* value = f(z), derivative = f'(z), nu = nu_f(z), each (n,m); a NULL output is skipped. Outputs may not overlap. */ \
  fk_status fk_##p##activation(T *value, ptrdiff_t ldvalue, T *derivative, ptrdiff_t ldderivative, T *nu,              \
                               ptrdiff_t ldnu, const T *z, ptrdiff_t ldz, ptrdiff_t n, ptrdiff_t m,                    \
                               fk_activation activation, int threads);                                                 \
  /* delta = delta * f'(z), element by element: the backward pass. */                                                  \
  fk_status fk_##p##activation_backward(T *delta, ptrdiff_t lddelta, const T *z, ptrdiff_t ldz, ptrdiff_t n,           \
                                        ptrdiff_t m, fk_activation activation, int threads);
FK_DECLARE_ACTIVATION(float, s)
FK_DECLARE_ACTIVATION(double, d)

/* ---- The nu-weighted Gram of a whole layer ----------------------------------------------------------------------- *
 * G_i = beta G_i + alpha sum_s nu(s,i) x~_s x~_s^T for all m neurons, into batch-minor storage. beta = 0 does not read
 * G. Cost m n d (d+1) flops. The packed products x~x~^T are built tile by tile and never whole. Whatever the samples,
 * one call of up to a million rounds to at most 1e-5 in float, relative to the sum of magnitudes. */
#define FK_DECLARE_GRAM(T, p)                                                                                          \
  ptrdiff_t fk_##p##gram_weighted_batch_work_size(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads);                 \
  fk_status fk_##p##gram_weighted_batch(T *G, const T *X, ptrdiff_t ldx, const T *nu, ptrdiff_t ldnu, ptrdiff_t n,     \
                                        ptrdiff_t d, ptrdiff_t m, double alpha, double beta, void *work,               \
                                        ptrdiff_t work_size, int threads);
FK_DECLARE_GRAM(float, s)
FK_DECLARE_GRAM(double, d)

/* ---- Batched damped Cholesky ------------------------------------------------------------------------------------- *
 * Overwrites each block G_i by the L_i of scale G_i + damping I = L_i L_i^T, with the RECIPROCALS of the pivots on its
 * diagonal. With scale = 1 / n for a sum of n samples, or 1 / (1 - beta^t) for an exponential average after t steps, no
 * pass over the blocks is needed for it. A pivot counts as positive when it exceeds the rounding unit times the damped
 * diagonal element it came from: of many zero pivots (fewer samples than d, no damping) one is then sure to be found, a
 * single one may drown in the rounding of those before it. Blocks are independent: when one fails the others are still
 * factored, the status is FK_NOT_POSITIVE_DEFINITE, `failure` names the first, and `info` (m entries, may be NULL)
 * holds for every block 0 or 1 + its first bad pivot. Solving with a failed block gives zeros or non-finite numbers,
 * never a plausible direction. Cost m d^3 / 3 flops. */
#define FK_DECLARE_CHOLESKY(T, p)                                                                                      \
  fk_status fk_##p##cholesky_batch(T *G, ptrdiff_t *info, fk_failure *failure, ptrdiff_t d, ptrdiff_t m, double scale, \
                                   double damping, int threads);                                                       \
  /* D = the rows L_i^-T L_i^-1 v_i. D and V are (m,d) and may be the same. Cost 2 m d^2 flops. */                     \
  ptrdiff_t fk_##p##cholesky_batch_solve_work_size(ptrdiff_t d, ptrdiff_t m, int threads);                             \
  fk_status fk_##p##cholesky_batch_solve(T *D, ptrdiff_t ldd, const T *L, const T *V, ptrdiff_t ldv, ptrdiff_t d,      \
                                         ptrdiff_t m, void *work, ptrdiff_t work_size, int threads);
FK_DECLARE_CHOLESKY(float, s)
FK_DECLARE_CHOLESKY(double, d)

/* ---- Explicit inverses of a factored batch ----------------------------------------------------------------------- */

#define FK_DECLARE_INVERSE(T, p)                                                                                       \
  /* Overwrites each factor L_i of cholesky_batch by the symmetric (L_i L_i^T)^-1, of which the lower triangle is kept \
   * in the same storage; a block that failed to factor becomes 0. Cost 2 m d^3 / 3 flops. */                          \
  fk_status fk_##p##cholesky_batch_inverse(T *L, ptrdiff_t d, ptrdiff_t m, int threads);                               \
  /* D = the rows A_i v_i for symmetric blocks in batch-minor storage. D and V are (m,d) and may be the same. Cost     \
   * 2 m d^2 flops; each element of A is read once, where a solve with factors reads it twice. */                      \
  ptrdiff_t fk_##p##symmetric_batch_multiply_work_size(ptrdiff_t d, ptrdiff_t m, int threads);                         \
  fk_status fk_##p##symmetric_batch_multiply(T *D, ptrdiff_t ldd, const T *A, const T *V, ptrdiff_t ldv, ptrdiff_t d,  \
                                             ptrdiff_t m, void *work, ptrdiff_t work_size, int threads);               \
  /* Each row g_i of G (m,d) overwritten by U^T A_i U g_i + outside_i (g_i - U^T U g_i), for a subspace U (r,d) of     \
   * orthonormal rows and symmetric blocks A_i of order r in batch-minor storage. R and Y (m,r) are room: R = G U^T is \
   * left in the first. The work space is that of symmetric_batch_multiply of order r. All of it in one parallel       \
   * region; the same results for any number of threads. Cost 4 m r d + 2 m r^2 flops. */                              \
  fk_status fk_##p##projected_multiply(T *G, ptrdiff_t ldg, T *R, ptrdiff_t ldr, T *Y, ptrdiff_t ldy, const T *U,      \
                                       ptrdiff_t ldu, const T *A, const double *outside, ptrdiff_t d, ptrdiff_t r,     \
                                       ptrdiff_t m, void *work, ptrdiff_t work_size, int threads);
FK_DECLARE_INVERSE(float, s)
FK_DECLARE_INVERSE(double, d)

/* ---- Kernel (Woodbury) form -------------------------------------------------------------------------------------- *
 * (G_i + damping I)^-1 v_i with G_i = 1/n sum_s nu(s,i) x~_s x~_s^T for all m neurons by systems of order n: the way
 * for windows of fewer samples than inputs, n < d, and right for any n. With S_i = diag(sqrt(nu_i / n)) X,
 *     D = the rows (v_i - S_i^T q_i) / damping,  (damping I + S_i S_i^T) q_i = S_i v_i.
 *
 * nu >= 0: a zero is a sample, or a neuron, that does not count; a negative or non-finite one fails its block. damping
 * > 0 with a finite reciprocal, else FK_INVALID_ARGUMENT. The division by the damping multiplies rounding errors by the
 * condition of the damped matrix where v_i has much of its leading eigenvectors. A refinement takes that out again:
 * with t_i = q_i - S_i d_i the residual of d_i is S_i^T t_i, and d_i += S_i^T w_i, q_i -= damping w_i with (damping I +
 * S_i S_i^T) w_i = t_i, without a division by the damping. For n < d one leaves a backward error of about the rounding
 * unit, measured down to a damping of 1e-6 of the largest eigenvalue in float. Where more samples than inputs make S
 * S^T singular, each multiplies what error is left by about the condition times the rounding unit.
 *
 * The factors L of order n and `info` and `failure` are as cholesky_batch leaves them; the pivot is a sample. Solving
 * with a block that failed gives 0. Cost of the factors 2 n^2 d + m n^3 / 3 flops, of a solve 4 m n d + 2 m n^2, and of
 * each refinement as much again. */
#define FK_DECLARE_KERNEL(T, p)                                                                                        \
  ptrdiff_t fk_##p##kernel_batch_factor_work_size(ptrdiff_t n, ptrdiff_t m);                                           \
  fk_status fk_##p##kernel_batch_factor(T *L, ptrdiff_t *info, fk_failure *failure, const T *X, ptrdiff_t ldx,         \
                                        const T *nu, ptrdiff_t ldnu, ptrdiff_t n, ptrdiff_t d, ptrdiff_t m,            \
                                        double damping, void *work, ptrdiff_t work_size, int threads);                 \
  /* X, nu, n and damping are those of the factors. D and V are (m,d) and may be the same. */                          \
  ptrdiff_t fk_##p##kernel_batch_solve_work_size(ptrdiff_t n, ptrdiff_t m, int refinements);                           \
  fk_status fk_##p##kernel_batch_solve(T *D, ptrdiff_t ldd, const T *L, const T *X, ptrdiff_t ldx, const T *nu,        \
                                       ptrdiff_t ldnu, const T *V, ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d,            \
                                       ptrdiff_t m, double damping, int refinements, void *work, ptrdiff_t work_size,  \
                                       int threads);
FK_DECLARE_KERNEL(float, s)
FK_DECLARE_KERNEL(double, d)

/* ---- Softmax ----------------------------------------------------------------------------------------------------- */

#define FK_DECLARE_SOFTMAX(T, p)                                                                                       \
  /* eta = softmax of each row of z; nu = eta (1 - eta), the diagonal of diag(eta) - eta eta^T. NULL is skipped. */    \
  fk_status fk_##p##softmax(T *eta, ptrdiff_t ldeta, T *nu, ptrdiff_t ldnu, const T *z, ptrdiff_t ldz, ptrdiff_t n,    \
                            ptrdiff_t m, int threads);                                                                 \
  /* loss = sum over samples of -log eta_label, in double; correct = samples whose largest z, the first of those       \
   * that are equal, is the label's (a sample with a NaN is never correct); delta (may be NULL) = (eta - onehot) *     \
   * scale. FK_INVALID_ARGUMENT when a label is not in 0 ..< m. */                                                     \
  fk_status fk_##p##softmax_cross_entropy(double *loss, ptrdiff_t *correct, T *delta, ptrdiff_t lddelta, const T *z,   \
                                          ptrdiff_t ldz, const int32_t *labels, ptrdiff_t n, ptrdiff_t m,              \
                                          double scale);                                                               \
  /* Eq 10: G (md,md) = alpha sum_s (diag eta_s - eta_s eta_s^T) (x) x~_s x~_s^T, dense, both triangles. */            \
  ptrdiff_t fk_##p##softmax_block_dense_work_size(ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, int threads);                 \
  fk_status fk_##p##softmax_block_dense(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta, \
                                        ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, void *work,               \
                                        ptrdiff_t work_size, int threads);                                             \
  /* The same, of which only the lower triangle counts: what is above the diagonal means nothing. The same work space. \
   */                                                                                                                  \
  fk_status fk_##p##softmax_block_lower(T *G, ptrdiff_t ldg, const T *X, ptrdiff_t ldx, const T *eta, ptrdiff_t ldeta, \
                                        ptrdiff_t n, ptrdiff_t d, ptrdiff_t m, double alpha, void *work,               \
                                        ptrdiff_t work_size, int threads);                                             \
  /* R (m,d) = alpha (the sum above) V without forming it: Z = X V^T, S = eta*Z - eta (eta.Z), R = alpha S^T X.        \
   * Cost 4 n m d flops; the work space holds S. */                                                                    \
  ptrdiff_t fk_##p##softmax_block_matvec_work_size(ptrdiff_t n, ptrdiff_t m);                                          \
  fk_status fk_##p##softmax_block_matvec(T *R, ptrdiff_t ldr, const T *X, ptrdiff_t ldx, const T *eta,                 \
                                         ptrdiff_t ldeta, const T *V, ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d,         \
                                         ptrdiff_t m, double alpha, void *work, ptrdiff_t work_size, int threads);
FK_DECLARE_SOFTMAX(float, s)
FK_DECLARE_SOFTMAX(double, d)

/* ---- A hidden layer through the one above it --------------------------------------------------------------------- */

/* The covariance O_s of the outputs: diag nu_s, or diag eta_s - eta_s eta_s^T. */
typedef enum fk_outputs_kind FK_ENUM_SIZE { FK_OUTPUTS_INDEPENDENT = 0, FK_OUTPUTS_SOFTMAX } fk_outputs_kind;

#define FK_DECLARE_TWO_LAYER(T, p)                                                                                     \
  /* Eq 12: R (m,d) = alpha sum_s (F_s C^T O_s C F_s (x) x~_s x~_s^T) V without forming it. F_s = diag f'(z_s), its    \
   * diagonals the rows of slopes (n,m); C (outputs,m) the weights above, whose bias column is not read; `above`       \
   * (n,outputs) is nu or eta. Z = slopes * X V^T, A = O (Z C^T), R = alpha (slopes * A C)^T X.                        \
   * Cost 4 n m (d + outputs) flops; the work space holds Z and A. */                                                  \
  ptrdiff_t fk_##p##two_layer_matvec_work_size(ptrdiff_t n, ptrdiff_t m, ptrdiff_t outputs);                           \
  fk_status fk_##p##two_layer_matvec(                                                                                  \
      T *R, ptrdiff_t ldr, const T *X, ptrdiff_t ldx, const T *slopes, ptrdiff_t ldslopes, const T *C, ptrdiff_t ldc,  \
      const T *above, ptrdiff_t ldabove, const T *V, ptrdiff_t ldv, ptrdiff_t n, ptrdiff_t d, ptrdiff_t m,             \
      ptrdiff_t outputs, fk_outputs_kind kind, double alpha, void *work, ptrdiff_t work_size, int threads);
FK_DECLARE_TWO_LAYER(float, s)
FK_DECLARE_TWO_LAYER(double, d)

#ifdef __cplusplus
}
#endif
#endif
